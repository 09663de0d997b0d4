"""What a local cloud must not take over from the shell that starts it."""

import re
from collections.abc import MutableMapping

# What a shell may hold for the real cloud, or for other programs of these kinds. The local cloud must not meet it: a
# DAG would find a real subscription, or Airflow another database.
_FOREIGN = re.compile(
    r"(AIRFLOW|ARM|AZURE|BOOKSTORE|CURL_CA|DATABRICKS|HADOOP|IDENTITY|JDK_JAVA|JAVA_TOOL|KAFKA|LAKE|LOCALCLOUD|MSI|NODE|"
    r"PYSPARK|PYTHON|REQUESTS_CA|SPARK|SSL_CERT|VIRTUAL_ENV)"
)


def forget_other_clouds(environment: MutableMapping[str, str]) -> None:
    """Takes out of an environment what points at Azure, at another local cloud or at another Python."""
    for name in [name for name in environment if _FOREIGN.match(name)]:
        del environment[name]
