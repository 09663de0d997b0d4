"""Partitions by `snapshot_date`: how they are selected, read and found."""

import datetime as dt
from collections.abc import Iterable

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.errors import MissingPartitionError
from spark_jobs.lake import Lake
from spark_jobs.tables import Table


def on(snapshot_date: dt.date) -> str:
    """The condition that selects one partition, in SQL."""
    return f"snapshot_date = DATE'{snapshot_date.isoformat()}'"


def among(column: str, dates: Iterable[dt.date]) -> str:
    """The condition that selects partitions of several dates, in SQL."""
    literals = [f"DATE'{date.isoformat()}'" for date in sorted(dates)]
    return f"{column} IN ({', '.join(literals)})"


def partition(lake: Lake, spark: SparkSession, table: Table, snapshot_date: dt.date) -> DataFrame:
    return lake.read(spark, table).where(on(snapshot_date))


def missing_partition(table: Table, snapshot_date: dt.date, writer: str) -> MissingPartitionError:
    return MissingPartitionError(
        f"the partition {snapshot_date} of {table.full_name} is required and has no rows: "
        f"run {writer} --snapshot_date={snapshot_date} first"
    )


def latest_partition(lake: Lake, spark: SparkSession, table: Table) -> dt.date | None:
    latest: dt.date | None = lake.read(spark, table).agg(F.max("snapshot_date")).first()[0]  # type: ignore[index]
    return latest
