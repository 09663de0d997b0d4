"""Books to offer: silver's customers, orders, lines and books, `gold.rfm` -> a partition of `gold.recommendations`."""

import datetime as dt
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.caching import cached
from spark_jobs.entry import Result, run_job
from spark_jobs.errors import MissingTableError
from spark_jobs.lake import Lake
from spark_jobs.partitions import missing_partition, on, partition
from spark_jobs.tables import BOOKS_HISTORY, CUSTOMERS, ORDER_LINE_ITEMS, ORDERS, RECOMMENDATIONS, RFM
from spark_jobs.transforms.purchased_books import counted_lines, on_sale, purchases, tastes
from spark_jobs.transforms.recommendations import recommendations
from spark_jobs.transforms.rfm import counted_orders


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        snapshot_date: The partition of `gold.rfm` to read and of `gold.recommendations` to replace.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    snapshot_date: dt.date
    catalog: str = ""


def run(spark: SparkSession, config: Config) -> Result:
    """Replaces the partition of `snapshot_date` and no other. Tastes are told from the days that RFM looked back to."""
    lake = Lake(config.lake_root, config.catalog)
    rfm = partition(lake, spark, RFM, config.snapshot_date)
    first = rfm.select("lookback_days").first()
    if first is None:
        raise missing_partition(RFM, config.snapshot_date, "aggregate_rfm")
    with ExitStack() as caches:
        try:
            rows = _recommended(spark, lake, config.snapshot_date, rfm, first["lookback_days"], caches=caches)
        except MissingTableError as error:
            lake.clear(spark, RECOMMENDATIONS, on(config.snapshot_date))
            return {"snapshot_date": config.snapshot_date, "rows": 0, "skipped": str(error)}
        lake.replace(spark, RECOMMENDATIONS, rows, where=on(config.snapshot_date))
    written = partition(lake, spark, RECOMMENDATIONS, config.snapshot_date).count()
    if not written:
        reason = f"no book was on sale on {config.snapshot_date} that a customer did not have"
        return {"snapshot_date": config.snapshot_date, "rows": 0, "skipped": reason}
    return {"snapshot_date": config.snapshot_date, "rows": written}


def _recommended(
    spark: SparkSession, lake: Lake, snapshot_date: dt.date, rfm: DataFrame, lookback_days: int, *, caches: ExitStack
) -> DataFrame:
    customers, orders, lines, books = (
        lake.read(spark, table) for table in (CUSTOMERS, ORDERS, ORDER_LINE_ITEMS, BOOKS_HISTORY)
    )
    counted = counted_orders(customers, orders, snapshot_date=snapshot_date, lookback_days=0)
    # At the bottom of a dozen branches of the plan, and would be made anew for each.
    bought = cached(
        purchases(counted_lines(lines, counted), snapshot_date=snapshot_date, lookback_days=lookback_days), caches
    )
    segments = rfm.select("customer_id", "rfm_segment")
    return recommendations(
        cached(customers.select("customer_id").join(segments, on="customer_id", how="left"), caches),
        tastes(bought),
        bought,
        on_sale(books, snapshot_date),
        snapshot_date=snapshot_date,
        keep=lambda rows: cached(rows, caches),
    )


def main(argv: Sequence[str] | None = None) -> None:
    run_job("recommend_books", Config, run, argv)


if __name__ == "__main__":
    main()
