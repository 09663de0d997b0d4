"""Keeps the lake's tables quick to read: files are brought together, old ones removed, old events forgotten."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession

from spark_jobs.auto_cdc import companion_name, forget_events
from spark_jobs.entry import Result, run_job
from spark_jobs.errors import ArgumentError
from spark_jobs.forgetting.erasure import KEPT_HOURS
from spark_jobs.forgetting.finishing import complete_erasures, erase_stragglers
from spark_jobs.lake import Lake, table_properties
from spark_jobs.rfm_totals import forget_old_totals
from spark_jobs.tables import BOOKS_HISTORY, CUSTOMERS, ORDERS, Table, all_tables
from spark_jobs.upkeep import KEEP_FILES, few_listing_tasks, set_properties

_CAPTURED = (CUSTOMERS, BOOKS_HISTORY, ORDERS)
"""The tables that remember events."""
_NEVER_FORGETFUL = (ORDERS,)
"""An order is deleted for good: the deletion is remembered as long as the table lives."""
_ORDERED_BY = {BOOKS_HISTORY: "__END_AT.ts_ms"}
"""What tells which files a change can concern: the versions that are over lie apart from those that are in force."""
_FEWEST_DAYS = 7
"""Below that Delta refuses to remove files."""


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
    is_erasing = erase_stragglers(spark, lake)
    with few_listing_tasks(spark):
        for table in tables:
            is_short = is_erasing and table.is_about_customers
            kept_for = f"{KEPT_HOURS} hours" if is_short else f"{config.keep_files_days} days"
            _maintain(spark, table, lake.name(table), old, kept_for)
    if is_erasing:
        complete_erasures(spark, lake)
    return {"tables": len(tables)}


def _maintain(spark: SparkSession, table: Table, name: str, old: dt.datetime, kept_for: str) -> None:
    set_properties(spark, name, table_properties(table))  # a table that an earlier version made lacks some
    _optimize(spark, table, name)
    _vacuum(spark, name, kept_for)
    if table in _CAPTURED:
        forget_events(spark, target=name, logged_before=None if table in _NEVER_FORGETFUL else old)
        _vacuum(spark, companion_name(name), kept_for)


def _optimize(spark: SparkSession, table: Table, name: str) -> None:
    order = _ORDERED_BY.get(table)
    spark.sql(f"OPTIMIZE {name}" + (f" ZORDER BY ({order})" if order else ""))


def _vacuum(spark: SparkSession, name: str, kept_for: str) -> None:
    """Removes what no younger version has; Delta takes the age from the table, whatever the statement says."""
    set_properties(spark, name, {KEEP_FILES: f"interval {kept_for}"})
    spark.sql(f"VACUUM {name}")


def main(argv: Sequence[str] | None = None) -> None:
    run_job("maintain_tables", Config, run, argv)


if __name__ == "__main__":
    main()
