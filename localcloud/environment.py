"""What unmodified clients need in their environment to find this cloud instead of Azure."""

from localcloud import storage
from localcloud.airflow import config
from localcloud.home import LAKE_ROOT, MARKER, Home
from localcloud.services.kafka import bootstrap_servers
from localcloud.services.key_vault import identity_endpoint, vault_url
from localcloud.services.workspace import workspace_url

# The marker would make the user's own shell a process of the cloud, to be stopped with it.
_NOT_FOR_SHELLS = {MARKER, "PYTHONPATH"}


def client_environment(home: Home) -> dict[str, str]:
    """Addresses, credentials and trust for Azure's and Databricks' clients, Kafka's, and Airflow's command line."""
    bundle = str(home.tls / "ca-bundle.pem")
    airflow = {name: value for name, value in config.environment(home).items() if name not in _NOT_FOR_SHELLS}
    return airflow | {
        "DATABRICKS_HOST": workspace_url(home),
        "DATABRICKS_TOKEN": home.secret("databricks-token"),
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers(home),
        "AZURE_KEY_VAULT_URL": vault_url(home),
        "AZURE_STORAGE_CONNECTION_STRING": storage.connection_string(home),
        "IDENTITY_ENDPOINT": identity_endpoint(home),
        "IDENTITY_HEADER": home.secret("identity-header"),
        "REQUESTS_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
        "LAKE_ROOT": LAKE_ROOT,
    }
