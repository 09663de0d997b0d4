"""Queries on the lake, answered by the workspace's cluster."""

import logging

import pyarrow as pa

from localcloud.databricks.own_routes import ask
from localcloud.home import Home


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
    ask(home, "POST", "warm-up")


def _endpoint(home: Home) -> str:
    remote: str = ask(home, "POST", "spark-connect")["remote"]
    return remote
