"""Reads what the page says about changes since an earlier date."""

import datetime as dt

from pyspark.sql import SparkSession

from spark_jobs.lake import Lake
from spark_jobs.partitions import among, on
from spark_jobs.report.content import Drift, FeatureDrift, Migrations, Move
from spark_jobs.tables import DRIFT, SEGMENT_MIGRATIONS


def read_drift(spark: SparkSession, lake: Lake, snapshot_date: dt.date) -> Drift | None:
    """The drift of a date; None where nothing has been compared."""
    drift = lake.find(spark, DRIFT)
    rows = drift.where(on(snapshot_date)).orderBy("feature").collect() if drift is not None else []
    if not rows:
        return None
    features = [FeatureDrift(row["feature"], row["psi"], row["threshold"], row["is_alarm"]) for row in rows]
    by_customers = next((row for row in rows if row["feature"] == "rfm_segment"), rows[0])
    return Drift(
        earlier_date=by_customers["earlier_date"],
        customers=by_customers["customers"],
        earlier_customers=by_customers["earlier_customers"],
        features=tuple(features),
    )


def read_migrations(spark: SparkSession, lake: Lake, snapshot_date: dt.date) -> Migrations | None:
    """Who came to which cluster by a date; None where the date before has no clusters of the same model."""
    migrations = lake.find(spark, SEGMENT_MIGRATIONS)
    if migrations is None:
        return None
    of_date = migrations.where(among("to_date", [snapshot_date]))
    ordered = of_date.orderBy("from_cluster", "to_cluster").collect()
    if not ordered:
        return None
    moves = [
        Move(
            (row["from_cluster"], row["from_cluster_name"]),
            (row["to_cluster"], row["to_cluster_name"]),
            row["customers"],
        )
        for row in ordered
    ]
    return Migrations(ordered[0]["from_date"], tuple(moves))
