"""Queries on the lake, answered by the workspace's cluster."""

import httpx
import pyarrow as pa

from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.ports import HOST

_CLUSTER_START_SECONDS = 300


def query(home: Home, statement: str) -> pa.Table:
    """Runs a SQL statement on the cluster used last, which is started if none runs.

    Raises:
        LocalCloudError: The workspace isn't up, or the cluster doesn't start.
        PySparkException: Spark refuses the statement.
    """
    # Spark's client takes a second that commands without a query shouldn't cost.
    from pyspark.sql.connect.session import SparkSession

    remote = f"{_endpoint(home)};token={home.secret('connect-token')}"
    spark = SparkSession.builder.remote(remote).create()
    try:
        return spark.sql(statement).toArrow()
    finally:
        spark.stop()


def _endpoint(home: Home) -> str:
    url = f"http://{HOST}:{home.port('workspace')}/api/localcloud/spark-connect"
    token = {"Authorization": f"Bearer {home.secret('databricks-token')}"}
    try:
        answer = httpx.post(url, headers=token, timeout=_CLUSTER_START_SECONDS)
    except httpx.TransportError as error:
        raise LocalCloudError(f"The workspace does not answer at {url} ({error}): start it with `make up`") from error
    if answer.is_error:
        raise LocalCloudError(f"No cluster to ask: {answer.json()['message']}")
    remote: str = answer.json()["remote"]
    return remote
