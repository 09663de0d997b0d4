import datetime as dt

import pytest
from pyspark.sql import SparkSession

from spark_jobs.segmentation.features import Scaling
from spark_jobs.segmentation.model import Cluster, Model
from spark_jobs.segmentation.scoring import assigned
from spark_jobs.tables import RFM

D = dt.date(2026, 1, 31)
# The scale leaves the logs as they are, so that a customer with frequency e - 1 is at 1.
PLAIN = Scaling(means=(0.0, 0.0, 0.0), deviations=(1.0, 1.0, 1.0))
MODEL = Model(
    snapshot_date=D,
    seed=42,
    scaling=PLAIN,
    clusters=(
        Cluster(0, "Here", (0.0, 0.0, 0.0)),
        Cluster(4, "There", (2.0, 0.0, 0.0)),
        Cluster(7, "Far", (90.0,) * 3),
    ),
    next_cluster_id=8,
)


def test_the_nearest_centre_wins_and_confidence_falls_towards_the_next(spark: SparkSession) -> None:
    # log1p of the recency puts them at the centre of "Here", at 0.5, at 1 (the middle), and at 2.
    customers = "SELECT 1L customer_id, 0D recency UNION ALL SELECT 2, exp(0.5) - 1 UNION ALL SELECT 4, exp(2D) - 1"
    rfm_df = spark.sql(
        f"""SELECT DATE'2026-01-31' snapshot_date, customer_id, recency AS recency_days, 0 AS frequency, 0 AS monetary,
            'Champions' AS rfm_segment FROM ({customers})"""
    )

    actual = sorted(tuple(row) for row in assigned(rfm_df, MODEL).collect())

    assert [row[:4] + row[5:] for row in actual] == [
        (D, 1, 0, "Here", "Champions", MODEL.version),
        (D, 2, 0, "Here", "Champions", MODEL.version),
        (D, 4, 4, "There", "Champions", MODEL.version),
    ]
    assert [row[4] for row in actual] == pytest.approx([1.0, 1 - 0.5 / 1.5, 1.0], abs=1e-12)


def test_half_way_between_two_the_lower_id_wins_without_confidence(spark: SparkSession) -> None:
    middle = Model(D, 42, PLAIN, (Cluster(3, "A", (1.0, 0.0, 0.0)), Cluster(1, "B", (-1.0, 0.0, 0.0))), 4)
    rfm_df = spark.createDataFrame(
        [{"snapshot_date": D, "customer_id": 1, "recency_days": 0, "frequency": 0}], RFM.columns
    )

    row = assigned(rfm_df.fillna({"monetary": 0}), middle).select("cluster_id", "cluster_name", "confidence").first()

    assert tuple(row or ()) == (1, "B", 0.0)
