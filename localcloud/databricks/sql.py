"""Queries on the lake, answered by the workspace's cluster."""

import logging
from typing import Any

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
    # A refusal is for a person: without the server's stack trace, and without a copy in the log.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    spark = SparkSession.builder.remote(remote).config("spark.sql.connect.serverStacktrace.enabled", "false").create()
    try:
        return spark.sql(statement).toArrow()
    finally:
        spark.stop()


def warm_up(home: Home) -> None:
    """Has the workspace start, in the background, the cluster that was used last."""
    _post(home, "warm-up")


def _endpoint(home: Home) -> str:
    remote: str = _post(home, "spark-connect")["remote"]
    return remote


def _post(home: Home, route: str) -> dict[str, Any]:
    url = f"http://{HOST}:{home.port('workspace')}/api/localcloud/{route}"
    token = {"Authorization": f"Bearer {home.secret('databricks-token')}"}
    try:
        answer = httpx.post(url, headers=token, timeout=_CLUSTER_START_SECONDS)
    except httpx.TransportError as error:
        raise LocalCloudError(f"The workspace does not answer at {url} ({error}): start it with `make up`") from error
    content: dict[str, Any] = answer.json()
    if answer.is_error:
        raise LocalCloudError(f"No cluster to ask: {content['message']}")
    return content
