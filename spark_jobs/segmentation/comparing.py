"""Reads which partitions there are, and writes how they differ: `gold.drift` and `gold.segment_migrations`."""

import datetime as dt
from dataclasses import astuple, dataclass
from functools import reduce
from itertools import groupby

import numpy as np
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from spark_jobs.lake import Lake
from spark_jobs.partitions import among
from spark_jobs.segmentation.drift import drift
from spark_jobs.segmentation.features import FEATURES
from spark_jobs.segmentation.neighbours import Comparisons, Described, Pair, adjacent, of_one_kind
from spark_jobs.tables import CUSTOMER_SEGMENTS, DRIFT, RFM, SEGMENT_MIGRATIONS, Table
from spark_jobs.transforms.comparisons import cells, migrations

_COMPARED = len(FEATURES) + 2  # and the shares of the RFM segments and of the clusters


@dataclass(frozen=True)
class Existing:
    """What is to be compared with what when a date has changed.

    Attributes:
        lookbacks: Look-back of each RFM partition whose comparison is made.
        drift: Partitions of `gold.rfm`.
        migrations: Partitions of `gold.customer_segments`.
    """

    lookbacks: dict[dt.date, int]
    drift: Comparisons
    migrations: Comparisons

    def has_rfm(self, snapshot_date: dt.date) -> bool:
        return snapshot_date in self.lookbacks


@dataclass(frozen=True)
class DriftRow:
    """A row of `gold.drift`."""

    snapshot_date: dt.date
    feature: str
    earlier_date: dt.date
    lookback_days: int
    psi: float
    bins: int
    customers: int
    earlier_customers: int
    threshold: float
    is_alarm: bool


def read_existing(spark: SparkSession, lake: Lake, snapshot_date: dt.date) -> Existing:
    tables = {RFM: "lookback_days", CUSTOMER_SEGMENTS: "model_version"}
    found = {table: lake.find(spark, table) for table in tables}
    each = [_described(rows, table, tables[table]) for table, rows in found.items() if rows is not None]
    # One statement for both: on a small lake its fixed cost is what takes time.
    rows = reduce(DataFrame.unionAll, each).collect() if each else []
    rfm, labelled = ([Described(row.day, row.kind) for row in rows if row.name == table.name] for table in tables)
    comparisons = of_one_kind(rfm, snapshot_date)
    return Existing(
        lookbacks={one.snapshot_date: int(one.made_with) for one in rfm if one.snapshot_date in comparisons.dates},
        drift=comparisons,
        migrations=adjacent(labelled, snapshot_date),
    )


def _described(rows: DataFrame, table: Table, kind: str) -> DataFrame:
    by_date = rows.groupBy(F.col("snapshot_date").alias("day"))
    return by_date.agg(F.lit(table.name).alias("name"), F.first(kind).cast("string").alias("kind"))


def write_drift(spark: SparkSession, lake: Lake, existing: Existing) -> list[DriftRow]:
    """Replaces the rows of each date that is compared; returns them."""
    counted = _collect(spark, lake, existing)
    rows = [
        _row(pair, existing.lookbacks[pair.later], feature, list(own))
        for pair in existing.drift.pairs
        for feature, own in groupby(counted[pair.later], key=lambda row: str(row["feature"]))
    ]
    if rows or lake.exists(spark, DRIFT):
        rows_df = spark.createDataFrame([astuple(row) for row in rows], schema=DRIFT.columns)
        lake.replace(spark, DRIFT, rows_df, where=among("snapshot_date", existing.drift.dates))
    return rows


def write_migrations(spark: SparkSession, lake: Lake, existing: Existing) -> None:
    """Replaces the rows of each labelled date that is compared; none where the one before has another model."""
    dates, pairs = existing.migrations.dates, existing.migrations.pairs
    if pairs or (dates and lake.exists(spark, SEGMENT_MIGRATIONS)):
        segments = lake.read(spark, CUSTOMER_SEGMENTS)
        each = [migrations(segments, earlier=pair.earlier, later=pair.later) for pair in pairs]
        nobody = spark.createDataFrame([], schema=SEGMENT_MIGRATIONS.columns)
        moved = reduce(DataFrame.unionAll, each, nobody)
        lake.replace(spark, SEGMENT_MIGRATIONS, moved, where=among("to_date", dates))


def _collect(spark: SparkSession, lake: Lake, existing: Existing) -> dict[dt.date, list[Row]]:
    """Customers per feature and cell, by the later date of each pair, in one statement."""
    labelled = existing.migrations.pairs
    each = [_cells(spark, lake, pair, is_labelled=pair in labelled) for pair in existing.drift.pairs]
    if not each:
        return {}
    rows = reduce(DataFrame.unionAll, each).orderBy("snapshot_date", "feature", "cell").collect()
    return {day: list(own) for day, own in groupby(rows, key=lambda row: row["snapshot_date"])}


def _cells(spark: SparkSession, lake: Lake, pair: Pair, *, is_labelled: bool) -> DataFrame:
    both = among("snapshot_date", (pair.earlier, pair.later))
    segments = lake.read(spark, CUSTOMER_SEGMENTS).where(both) if is_labelled else None
    counted = cells(lake.read(spark, RFM).where(both), segments, features=FEATURES, earlier=pair.earlier)
    return counted.select(F.lit(pair.later).alias("snapshot_date"), "*")


def _row(pair: Pair, lookback_days: int, feature: str, own: list[Row]) -> DriftRow:
    before, now = (np.array([row[name] for row in own]) for name in ("earlier_customers", "customers"))
    found = drift(before, now, features=_COMPARED)
    return DriftRow(
        snapshot_date=pair.later,
        feature=feature,
        earlier_date=pair.earlier,
        lookback_days=lookback_days,
        psi=found.psi,
        bins=found.cells,
        customers=int(now.sum()),
        earlier_customers=int(before.sum()),
        threshold=found.threshold,
        is_alarm=found.is_alarm,
    )
