"""Gives each customer a cluster: `gold.rfm` and the champion model -> a partition of `gold.customer_segments`."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession

from spark_jobs.entry import Result, run_job
from spark_jobs.lake import Lake
from spark_jobs.partitions import missing_partition, on, partition
from spark_jobs.segmentation.registry import read_champion
from spark_jobs.segmentation.scoring import assigned
from spark_jobs.tables import CUSTOMER_SEGMENTS, RFM


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        snapshot_date: The partition of `gold.rfm` to read and of `gold.customer_segments` to replace.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    snapshot_date: dt.date
    catalog: str = ""


def run(spark: SparkSession, config: Config) -> Result:
    """Replaces the partition of `snapshot_date` and no other."""
    lake = Lake(config.lake_root, config.catalog)
    customers = partition(lake, spark, RFM, config.snapshot_date)
    if customers.isEmpty():
        raise missing_partition(RFM, config.snapshot_date, "aggregate_rfm")
    champion = read_champion(spark, lake)
    if champion is None:
        return {"snapshot_date": config.snapshot_date, "skipped": "no champion model yet: run train_kmeans first"}
    lake.replace(spark, CUSTOMER_SEGMENTS, assigned(customers, champion), where=on(config.snapshot_date))
    rows = partition(lake, spark, CUSTOMER_SEGMENTS, config.snapshot_date).count()
    return {"snapshot_date": config.snapshot_date, "rows": rows, "model_version": champion.version}


def main(argv: Sequence[str] | None = None) -> None:
    run_job("assign_segments", Config, run, argv)


if __name__ == "__main__":
    main()
