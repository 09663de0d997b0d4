"""A local cloud starts without the shell's own Azure, Airflow and Python."""

from localcloud.surroundings import forget_other_clouds


def test_what_points_elsewhere_is_forgotten_and_the_rest_kept() -> None:
    kept = {"PATH": "/bin", "HOME": "/root", "JAVA_HOME": "/java", "LANG": "C.UTF-8", "OPENBLAS_CORETYPE": "HASWELL"}
    foreign = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://production",
        "AIRFLOW_CONN_DATABRICKS_DEFAULT": "databricks://production",
        "AZURE_CLIENT_ID": "production",
        "DATABRICKS_HOST": "https://production",
        "IDENTITY_ENDPOINT": "http://production",
        "LOCALCLOUD_HOME": "/another",
        "PYTHONPATH": "/another",
        "SPARK_REMOTE": "sc://production",
        "SSL_CERT_FILE": "/another",
    }
    environment = kept | foreign
    forget_other_clouds(environment)
    assert environment == kept
