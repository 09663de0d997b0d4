"""What a new cluster knows by name: the lake's schemas, and every Delta table found in them."""

import re

from pyspark.errors import AnalysisException
from pyspark.sql.connect.session import SparkSession

SCHEMAS = ("bronze", "silver", "gold", "ops")
_LOG_FILE = re.compile(r"/(?P<schema>\w+)/(?P<table>\w+)/_delta_log/[^/]+$")


def register_lake(remote: str, lake_root: str) -> None:
    """Makes the lake's schemas and tables known to the server's catalog, which all of its sessions share.

    Args:
        remote: The server's Spark Connect URL.
        lake_root: The lake's URI.
    """
    spark = SparkSession.builder.remote(remote).create()
    try:
        for schema in SCHEMAS:
            spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema} LOCATION '{lake_root}/{schema}'")
        for schema, table in _delta_tables(spark, lake_root):
            location = f"{lake_root}/{schema}/{table}"
            spark.sql(f"CREATE TABLE IF NOT EXISTS {schema}.`{table}` USING delta LOCATION '{location}'")
    finally:
        spark.stop()


def _delta_tables(spark: SparkSession, lake_root: str) -> list[tuple[str, str]]:
    schemas = ",".join(SCHEMAS)
    # Only `path` is read, so no content is: this is a listing of the Delta logs.
    logs = spark.read.format("binaryFile").load(f"{lake_root}/{{{schemas}}}/*/_delta_log/*.json")
    try:
        paths = [row.path for row in logs.select("path").collect()]
    except AnalysisException as error:
        if error.getCondition() == "PATH_NOT_FOUND":
            return []
        raise
    found = (_LOG_FILE.search(path) for path in paths)
    return sorted({(match["schema"], match["table"]) for match in found if match})
