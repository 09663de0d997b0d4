"""Recency, frequency and monetary value as of one date: `silver.customers`, `orders` -> a partition of `gold.rfm`.

From which values on the scores were given goes to `gold.rfm_thresholds`. Where the shop has a scheme of its own, its
scores and segments of the same customers go to `gold.rfm_schemes`.
"""

import datetime as dt
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.caching import cached
from spark_jobs.entry import Result, run_job
from spark_jobs.errors import ArgumentError, MissingTableError
from spark_jobs.lake import Lake
from spark_jobs.partitions import on, partition
from spark_jobs.rfm_thresholds import write_thresholds
from spark_jobs.rfm_totals import Stored, totals
from spark_jobs.tables import CUSTOMERS, ORDERS, RFM, RFM_SCHEMES
from spark_jobs.transforms.rfm import QUINTILES, rfm, scheme_rows, with_scores
from spark_jobs.transforms.scheme import Scheme, read_scheme
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
        scheme: A scheme of the shop's own, as JSON (see `docs/segmentation.md`); empty for none.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    snapshot_date: dt.date
    lookback_days: int = 365
    scheme: str = ""
    catalog: str = ""

    def __post_init__(self) -> None:
        if self.lookback_days < 0:
            raise ArgumentError(
                f"--lookback_days must be a number of days, or 0 for all history; found {self.lookback_days}"
            )
        if self.scheme:
            read_scheme(self.scheme)


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
    written = partition(lake, spark, RFM, config.snapshot_date)
    customers_scored = write_thresholds(spark, lake, written, QUINTILES, config.snapshot_date)
    if config.scheme:
        _score_otherwise(spark, lake, written, read_scheme(config.scheme), config.snapshot_date)
    return _result(config, base, customers=customers_scored)


def _score_otherwise(
    spark: SparkSession, lake: Lake, written: DataFrame, scheme: Scheme, snapshot_date: dt.date
) -> None:
    with ExitStack() as caches:
        scored = cached(with_scores(written, scheme), caches)
        where = f"{on(snapshot_date)} AND scheme = '{scheme.name}'"
        lake.replace_at_last(spark, RFM_SCHEMES, scheme_rows(scored, scheme), where=where)
        write_thresholds(spark, lake, scored, scheme, snapshot_date)


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
