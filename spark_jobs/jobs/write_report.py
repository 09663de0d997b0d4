"""Writes the page for one date: the gold tables and Delta's histories -> a partition of `gold.reports`."""

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyspark.sql import SparkSession

from spark_jobs.entry import Result, run_job
from spark_jobs.lake import Lake
from spark_jobs.partitions import missing_partition, on, partition
from spark_jobs.report.campaigns import read_campaigns
from spark_jobs.report.changes import read_drift, read_migrations
from spark_jobs.report.clusters import read_clusters
from spark_jobs.report.content import Report
from spark_jobs.report.customers import read_cells, read_segments
from spark_jobs.report.gaps import read_gaps
from spark_jobs.report.outlook import read_offers, read_value
from spark_jobs.report.page import render
from spark_jobs.report.pipeline import read_pipeline
from spark_jobs.tables import REPORTS, RFM


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        snapshot_date: The partition of `gold.rfm` that the page is about.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    snapshot_date: dt.date
    catalog: str = ""


def run(spark: SparkSession, config: Config) -> Result:
    """Replaces the page of `snapshot_date` and no other. Clusters are told of where a model has labelled the date."""
    lake = Lake(config.lake_root, config.catalog)
    report = _read(spark, lake, config.snapshot_date, written_at=dt.datetime.now(dt.UTC))
    html = render(report)
    row = (report.snapshot_date, report.written_at, html)
    page = spark.createDataFrame([row], schema=REPORTS.columns)
    lake.replace(spark, REPORTS, page, where=on(config.snapshot_date))
    return {
        "snapshot_date": config.snapshot_date,
        "customers": report.total.customers,
        "clusters": len(report.clusters.cards) if report.clusters else 0,
        "bytes": len(html.encode()),
    }


def _read(spark: SparkSession, lake: Lake, snapshot_date: dt.date, written_at: dt.datetime) -> Report:
    rfm = partition(lake, spark, RFM, snapshot_date)
    first = rfm.select("lookback_days").first()
    if first is None:
        raise missing_partition(RFM, snapshot_date, "aggregate_rfm")
    # Small tables and several cores: while one statement waits, another one runs.
    with ThreadPoolExecutor() as pool:
        drift = pool.submit(read_drift, spark, lake, snapshot_date)
        migrations = pool.submit(read_migrations, spark, lake, snapshot_date)
        value = pool.submit(read_value, spark, lake, rfm, snapshot_date)
        offers = pool.submit(read_offers, spark, lake, snapshot_date)
        gaps = pool.submit(read_gaps, spark, lake, snapshot_date)
        campaigns = pool.submit(read_campaigns, spark, lake)
        total, segments = read_segments(rfm)
        cells = read_cells(rfm)
    return Report(
        snapshot_date=snapshot_date,
        lookback_days=first["lookback_days"],
        written_at=written_at,
        total=total,
        segments=segments,
        cells=cells,
        gaps=gaps.result(),
        clusters=read_clusters(spark, lake, rfm, on(snapshot_date)),
        drift=drift.result(),
        migrations=migrations.result(),
        value=value.result(),
        offers=offers.result(),
        campaigns=campaigns.result(),
        pipeline=read_pipeline(spark, lake),
    )


def main(argv: Sequence[str] | None = None) -> None:
    run_job("write_report", Config, run, argv)


if __name__ == "__main__":
    main()
