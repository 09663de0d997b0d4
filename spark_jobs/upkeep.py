"""What jobs that look after tables share: properties, and how files are listed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import SparkSession

KEEP_FILES = "delta.deletedFileRetentionDuration"
_LISTING_TASKS = "spark.sql.sources.parallelPartitionDiscovery.parallelism"


def properties_of(spark: SparkSession, name: str) -> dict[str, str]:
    return {row["key"]: row["value"] for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}


def set_properties(spark: SparkSession, name: str, wanted: Mapping[str, str]) -> None:
    """Sets those that differ, in one commit; none where nothing does."""
    known = properties_of(spark, name)
    changes = ", ".join(f"'{key}' = '{value}'" for key, value in wanted.items() if known.get(key) != value)
    if changes:
        spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ({changes})")


@contextmanager
def few_listing_tasks(spark: SparkSession) -> Iterator[None]:
    """VACUUM lists each table's files in ten thousand tasks unless it is told otherwise."""
    usual = spark.conf.get(_LISTING_TASKS)
    spark.conf.set(_LISTING_TASKS, "16")
    try:
        yield
    finally:
        spark.conf.set(_LISTING_TASKS, str(usual))
