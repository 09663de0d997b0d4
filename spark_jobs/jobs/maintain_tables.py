"""Keeps the lake's tables quick to read: files are brought together, old ones removed, old events forgotten."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import SparkSession

from spark_jobs.auto_cdc import companion_name, forget_events
from spark_jobs.entry import Result, run_job
from spark_jobs.errors import ArgumentError
from spark_jobs.lake import Lake
from spark_jobs.rfm_totals import forget_old_totals
from spark_jobs.tables import BOOKS_HISTORY, CUSTOMERS, ORDERS, Table, all_tables

_CAPTURED = (CUSTOMERS, BOOKS_HISTORY, ORDERS)
"""The tables that remember events."""
_NEVER_FORGETFUL = (ORDERS,)
"""An order is deleted for good: the deletion is remembered as long as the table lives."""
_ORDERED_BY = {BOOKS_HISTORY: "__END_AT.ts_ms"}
"""What tells which files a change can concern: the versions that are over lie apart from those that are in force."""
_FEWEST_DAYS = 7
"""Below that Delta refuses to remove files."""
_KEEP_FILES = "delta.deletedFileRetentionDuration"
_LISTING_TASKS = "spark.sql.sources.parallelPartitionDiscovery.parallelism"


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        forget_after_days: How much later an event may come than one that it should have come before.
        keep_files_days: How long files that no table needs any more stay readable: for time travel, for queries that
            have begun, and for streams that have stood still.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    forget_after_days: int = 90
    keep_files_days: int = 30
    catalog: str = ""

    def __post_init__(self) -> None:
        if self.forget_after_days < 0:
            raise ArgumentError(f"--forget_after_days must be at least 0, found {self.forget_after_days}")
        if self.keep_files_days < _FEWEST_DAYS:
            raise ArgumentError(f"--keep_files_days must be at least {_FEWEST_DAYS}, found {self.keep_files_days}")


def run(spark: SparkSession, config: Config) -> Result:
    """No reader sees a difference, and every step may be cut short and done again."""
    lake = Lake(config.lake_root, config.catalog)
    tables = [table for table in all_tables() if lake.exists(spark, table)]
    lake.create(spark, *tables)
    forget_old_totals(spark, lake)
    old = dt.datetime.now(dt.UTC) - dt.timedelta(days=config.forget_after_days)
    with _few_listing_tasks(spark):
        for table in tables:
            _maintain(spark, table, lake.name(table), old, config.keep_files_days)
    return {"tables": len(tables)}


@contextmanager
def _few_listing_tasks(spark: SparkSession) -> Iterator[None]:
    """VACUUM lists each table's files in ten thousand tasks unless it is told otherwise."""
    usual = spark.conf.get(_LISTING_TASKS)
    spark.conf.set(_LISTING_TASKS, "16")
    try:
        yield
    finally:
        spark.conf.set(_LISTING_TASKS, str(usual))


def _maintain(spark: SparkSession, table: Table, name: str, old: dt.datetime, days: int) -> None:
    _optimize(spark, table, name)
    _vacuum(spark, name, days)
    if table in _CAPTURED:
        forget_events(spark, target=name, logged_before=None if table in _NEVER_FORGETFUL else old)
        _vacuum(spark, companion_name(name), days)


def _optimize(spark: SparkSession, table: Table, name: str) -> None:
    order = _ORDERED_BY.get(table)
    spark.sql(f"OPTIMIZE {name}" + (f" ZORDER BY ({order})" if order else ""))


def _vacuum(spark: SparkSession, name: str, days: int) -> None:
    """Removes what no younger version has; Delta takes the age from the table, whatever the statement says."""
    kept_for = f"interval {days} days"
    properties = {row["key"]: row["value"] for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
    if properties.get(_KEEP_FILES) != kept_for:
        spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('{_KEEP_FILES}' = '{kept_for}')")
    spark.sql(f"VACUUM {name}")


def main(argv: Sequence[str] | None = None) -> None:
    run_job("maintain_tables", Config, run, argv)


if __name__ == "__main__":
    main()
