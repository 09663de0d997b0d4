"""The Spark session that a job runs on."""

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from spark_jobs.errors import JobError

_JARS = Path(sys.prefix) / "jars" / "spark"
# Optimised is what has run six times as often as usual, with less inlined into it: on few cores that work delays the
# statements themselves. And there is room from the start: growing to it takes a full collection for each step.
_SMALL_JVM = (
    "-XX:+UseSerialGC",
    "-XX:Tier4InvocationThreshold=30000",
    "-XX:Tier4MinInvocationThreshold=10000",
    "-XX:Tier4CompileThreshold=40000",
    "-XX:Tier4BackEdgeThreshold=200000",
    "-XX:InlineSmallCode=1000",
    "-Xms1g",
    "-XX:MetaspaceSize=400m",
)


def get_session() -> SparkSession:
    """Returns the session with Delta that a job runs on, in UTC.

    On Databricks the runtime's own; with `SPARK_REMOTE` set a Spark Connect session; otherwise a classic local one with
    the jars that `make setup` put under `<sys.prefix>/jars`.

    Raises:
        JobError: A local session was asked for and the jars aren't there.
    """
    builder = SparkSession.builder
    if "DATABRICKS_RUNTIME_VERSION" not in os.environ and "SPARK_REMOTE" not in os.environ:
        builder = _with_local_delta(builder)
    spark: SparkSession = builder.getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


def _with_local_delta(builder: SparkSession.Builder) -> SparkSession.Builder:
    jars = sorted(_JARS.glob("*.jar"))
    if not jars:
        raise JobError(f"Delta's jars are required under {_JARS} and none were found there: run `make setup`")
    for key, value in local_delta_conf(jars).items():
        builder = builder.config(key, value)
    return builder


def local_delta_conf(jars: list[Path]) -> dict[str, str]:
    """Spark settings for Delta on one machine; few partitions, since on small tables each task costs most."""
    return {
        "spark.master": "local[2]",
        # The default of 1 GB is too little for a message of 10 MB, which several steps hold at once.
        "spark.driver.memory": "2g",
        "spark.jars": ",".join(map(str, jars)),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.shuffle.partitions": "4",
        "spark.databricks.delta.snapshotPartitions": "2",
        # Else each column of a plan is noted with the line of Python that made it, which takes as long as the plan.
        "spark.python.sql.dataFrameDebugging.enabled": "false",
        # The default of a hundred classes is less than the statements of a few jobs need, so none would be used twice.
        "spark.sql.codegen.cache.maxEntries": "5000",
        # A commit's checksum file costs a job of its own.
        "spark.databricks.delta.writeChecksumFile.enabled": "false",
        "spark.driver.extraJavaOptions": " ".join(_SMALL_JVM),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
    }
