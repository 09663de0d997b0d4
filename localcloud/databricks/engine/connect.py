"""What servers are told and asked over Spark Connect. Slow to import, so imported once a server is there."""

import re

from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql.connect.client import SparkConnectClient
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.session import SparkSession

# By default a client waits ten minutes for a server that is gone; these are on this machine.
_TRIES = 3

SCHEMAS = ("bronze", "silver", "gold", "ops")
_LOG_FILE = re.compile(r"/(?P<schema>\w+)/(?P<table>\w+)/_delta_log/[^/]+$")


class ConnectError(Exception):
    """Raised when the server refuses; says what Spark said."""


def register(remote: str, lake_root: str, views: list[str]) -> None:
    """Makes the lake's schemas, its Delta tables and these views known by name."""
    spark = _session(remote)
    try:
        for schema in SCHEMAS:
            spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema} LOCATION '{lake_root}/{schema}'")
        for schema, table in _delta_tables(spark, lake_root):
            location = f"{lake_root}/{schema}/{table}"
            spark.sql(f"CREATE TABLE IF NOT EXISTS {schema}.`{table}` USING delta LOCATION '{location}'")
        for view in views:
            spark.sql(view)
    except PySparkException as error:
        raise ConnectError(str(error)) from error
    finally:
        spark.stop()


def definitions_of_views(remote: str) -> dict[str, str]:
    """The statement that makes each view of the lake's schemas."""
    spark = _session(remote)
    try:
        return {f"{schema}.{name}": _definition(spark, schema, name) for schema, name in _views(spark)}
    except PySparkException as error:
        raise ConnectError(str(error)) from error
    finally:
        spark.stop()


def release(remote: str) -> None:
    """Ends the session that the URL names, and what runs in it."""
    client = SparkConnectClient(connection=remote, retry_policy={"max_retries": _TRIES})
    try:
        client.release_session()
    except PySparkException as error:
        raise ConnectError(str(error)) from error
    finally:
        client.close()


def _session(remote: str) -> SparkSession:
    spark = SparkSession.builder.remote(remote).create()
    spark.client.set_retry_policies([DefaultPolicy(max_retries=_TRIES)])
    return spark


def _delta_tables(spark: SparkSession, lake_root: str) -> list[tuple[str, str]]:
    # Only `path` is asked for, so no content is read: this is a listing of the Delta logs.
    logs = f"{lake_root}/{{{','.join(SCHEMAS)}}}/*/_delta_log/*.json"
    try:
        paths = [row.path for row in spark.read.format("binaryFile").load(logs).select("path").collect()]
    except AnalysisException as error:
        if error.getCondition() == "PATH_NOT_FOUND":
            return []
        raise
    found = (_LOG_FILE.search(path) for path in paths)
    return sorted({(match["schema"], match["table"]) for match in found if match})


def _views(spark: SparkSession) -> list[tuple[str, str]]:
    listed = {schema: spark.sql(f"SHOW VIEWS IN {schema}").where("NOT isTemporary").collect() for schema in SCHEMAS}
    return [(schema, row.viewName) for schema, rows in listed.items() for row in rows]


def _definition(spark: SparkSession, schema: str, view: str) -> str:
    shown: str = spark.sql(f"SHOW CREATE TABLE {schema}.`{view}`").collect()[0][0]
    return shown.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
