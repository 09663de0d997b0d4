"""How clients reach Azurite as an ADLS Gen2 account: Hadoop's ABFS driver, and Azure's SDK."""

from localcloud.home import STORAGE_ACCOUNT, Home
from localcloud.ports import HOST

ACCOUNT_KEY = f"fs.azure.account.key.{STORAGE_ACCOUNT}.dfs.core.windows.net"
"""The Hadoop setting that holds the account's key."""


def hadoop_conf(home: Home) -> dict[str, str]:
    """What the ABFS driver needs to find the account of production URIs on this machine; the account's key isn't in it.

    The driver takes `127.0.0.1:<port>/<account>/<container>` for `<container>@<account>.dfs.core.windows.net`, and
    speaks Blob storage's protocol as it does to accounts without a hierarchical namespace: Azurite has no other.
    """
    return {
        "fs.azure.abfs.endpoint": f"{HOST}:{home.port('azurite')}",
        # The JVM's own TLS: OpenSSL, which the driver prefers where it finds it, knows nothing of our trust store.
        "fs.azure.ssl.channel.mode": "Default_JSSE",
        "fs.azure.account.hns.enabled": "false",
        "fs.azure.fns.account.service.type": "BLOB",
        # The container is made at the cloud's first start, and no job should make another by a slip of the pen.
        "fs.azure.createRemoteFileSystemDuringInitialization": "false",
        # Outlasts a restart of Azurite; the driver's own 30 tries keep a job waiting for a quarter of an hour.
        "fs.azure.io.retry.max.retries": "8",
        "fs.azure.io.retry.max.backoff.interval": "5000",
    }


def jvm_options(home: Home) -> list[str]:
    """What a JVM needs to trust this home's servers."""
    return [
        f"-Djavax.net.ssl.trustStore={home.tls / 'truststore.p12'}",
        "-Djavax.net.ssl.trustStoreType=PKCS12",
    ]


def blob_endpoint(home: Home) -> str:
    return f"https://{HOST}:{home.port('azurite')}/{STORAGE_ACCOUNT}"


def connection_string(home: Home) -> str:
    """As `BlobServiceClient.from_connection_string` takes it; holds the account's key."""
    return (
        f"DefaultEndpointsProtocol=https;AccountName={STORAGE_ACCOUNT};"
        f"AccountKey={home.secret('storage-key')};BlobEndpoint={blob_endpoint(home)};"
    )
