"""Recency, frequency and monetary value as of one date: `silver.customers`, `orders` -> a partition of `gold.rfm`."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession

from spark_jobs.entry import Result, run_job
from spark_jobs.errors import ArgumentError, MissingTableError
from spark_jobs.lake import Lake
from spark_jobs.partitions import on, partition
from spark_jobs.rfm_totals import Stored, totals
from spark_jobs.tables import CUSTOMERS, ORDERS, RFM
from spark_jobs.transforms.rfm import rfm
from spark_jobs.transforms.totals import Window


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        snapshot_date: The partition: the last UTC day whose orders count. Today and days to come are allowed, since a
            partition depends on the silver tables alone and never on the clock: it holds what is known so far, and
            running it again later completes it.
        lookback_days: How many days count, `snapshot_date` included; 0 for all history.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    snapshot_date: dt.date
    lookback_days: int = 365
    catalog: str = ""

    def __post_init__(self) -> None:
        if self.lookback_days < 0:
            raise ArgumentError(
                f"--lookback_days must be a number of days, or 0 for all history; found {self.lookback_days}"
            )


def run(spark: SparkSession, config: Config) -> Result:
    """Replaces the partition of `snapshot_date` and no other; skipped while there is no silver table to read."""
    lake = Lake(config.lake_root, config.catalog)
    try:
        customers, _ = lake.read(spark, CUSTOMERS), lake.read(spark, ORDERS)
    except MissingTableError as error:
        # A schedule that starts before the first events isn't a failure.
        return {"snapshot_date": config.snapshot_date, "rows": 0, "skipped": str(error)}
    summed, base = totals(spark, lake, Window(config.snapshot_date, config.lookback_days))
    rows = rfm(customers, summed, snapshot_date=config.snapshot_date, lookback_days=config.lookback_days)
    lake.replace_at_last(spark, RFM, rows, where=on(config.snapshot_date))
    return _result(config, base, customers=partition(lake, spark, RFM, config.snapshot_date).count())


def _result(config: Config, base: Stored | None, customers: int) -> Result:
    carried = {"carried_on_from": base.window.snapshot_date} if base else {}
    result = {"snapshot_date": config.snapshot_date, "rows": customers, **carried}
    if customers:
        return result
    days = f"the {config.lookback_days} days up to it" if config.lookback_days else "the time up to it"
    return {**result, "skipped": f"the partition {config.snapshot_date} is empty: no order counts in {days}"}


def main(argv: Sequence[str] | None = None) -> None:
    run_job("aggregate_rfm", Config, run, argv)


if __name__ == "__main__":
    main()
