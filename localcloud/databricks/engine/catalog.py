"""What clusters know by name: the lake's schemas and Delta tables, and the views that jobs made.

Each server's catalog is in its memory. The tables can be found again in the lake; a view is nowhere but in a catalog,
so its definition is written down after each task.
"""

import json
import logging
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.session import SparkSession

from localcloud.databricks.engine.spark_server import SparkServer
from localcloud.home import write_private

log = logging.getLogger(__name__)

SCHEMAS = ("bronze", "silver", "gold", "ops")
_LOG_FILE = re.compile(r"/(?P<schema>\w+)/(?P<table>\w+)/_delta_log/[^/]+$")


@dataclass(frozen=True)
class Catalog:
    """What outlives the servers.

    Attributes:
        lake_root: The lake's URI.
        views_file: Where views' definitions are written down.
    """

    lake_root: str
    views_file: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def register(self, server: SparkServer) -> None:
        """Makes the lake known to a new server.

        A server without the lake's key starts as well: on Azure too it is the first read that fails.
        """
        spark = _session(server)
        try:
            self._register_tables(spark)
            for statement in self._views().values():
                spark.sql(statement)
        except PySparkException as error:
            log.warning("%s runs without knowing the lake's tables by name: %s", server.spec.cluster_id, error)
        finally:
            spark.stop()

    def remember_views(self, server: SparkServer) -> None:
        """Writes down the views that the server knows."""
        spark = _session(server)
        try:
            found = dict(view for schema in SCHEMAS for view in _views(spark, schema))
        except PySparkException as error:
            log.warning("the views of %s can't be read: %s", server.spec.cluster_id, error)
            return
        finally:
            spark.stop()
        with self._lock:
            views = self._views() | found
            if views != self._views():
                write_private(self.views_file, json.dumps(views, indent=1))

    def _views(self) -> dict[str, str]:
        if not self.views_file.is_file():
            return {}
        views: dict[str, str] = json.loads(self.views_file.read_text())
        return views

    def _register_tables(self, spark: SparkSession) -> None:
        for schema in SCHEMAS:
            spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema} LOCATION '{self.lake_root}/{schema}'")
        for schema, table in self._delta_tables(spark):
            location = f"{self.lake_root}/{schema}/{table}"
            spark.sql(f"CREATE TABLE IF NOT EXISTS {schema}.`{table}` USING delta LOCATION '{location}'")

    def _delta_tables(self, spark: SparkSession) -> list[tuple[str, str]]:
        # Only `path` is asked for, so no content is read: this is a listing of the Delta logs.
        logs = f"{self.lake_root}/{{{','.join(SCHEMAS)}}}/*/_delta_log/*.json"
        try:
            paths = [row.path for row in spark.read.format("binaryFile").load(logs).select("path").collect()]
        except AnalysisException as error:
            if error.getCondition() == "PATH_NOT_FOUND":
                return []
            raise
        found = (_LOG_FILE.search(path) for path in paths)
        return sorted({(match["schema"], match["table"]) for match in found if match})


def _session(server: SparkServer) -> SparkSession:
    spark = SparkSession.builder.remote(server.remote_with_token()).create()
    # By default a client waits ten minutes for a server that is gone; this one is on the same machine.
    spark.client.set_retry_policies([DefaultPolicy(max_retries=3)])
    return spark


def _views(spark: SparkSession, schema: str) -> list[tuple[str, str]]:
    """Names and definitions of a schema's views."""
    listed = spark.sql(f"SHOW VIEWS IN {schema}").where("NOT isTemporary").collect()
    return [(row.viewName, _definition(spark, f"{schema}.`{row.viewName}`")) for row in listed]


def _definition(spark: SparkSession, view: str) -> str:
    shown: str = spark.sql(f"SHOW CREATE TABLE {view}").collect()[0][0]
    return shown.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
