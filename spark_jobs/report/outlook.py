"""Reads what the page says about the days to come: expected value, and books to offer."""

import datetime as dt

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from spark_jobs.lake import Lake
from spark_jobs.partitions import on
from spark_jobs.report.content import EARLIER_CUSTOMERS, Offer, SegmentValue, Value
from spark_jobs.tables import BOOKS_HISTORY, CUSTOMER_VALUE, RECOMMENDATIONS, VALUE_MODELS

BOOKS_PER_SEGMENT = 3


def read_value(spark: SparkSession, lake: Lake, rfm: DataFrame, snapshot_date: dt.date) -> Value | None:
    """Estimates by RFM segment; None where there are none for the date."""
    models = lake.find(spark, VALUE_MODELS)
    model = models.where(on(snapshot_date)).first() if models is not None else None
    if model is None:
        return None
    estimates = lake.read(spark, CUSTOMER_VALUE).where(on(snapshot_date))
    rows = (
        estimates.join(rfm.select("customer_id", "rfm_segment"), on="customer_id", how="left")
        .groupBy(_segment().alias("segment"))
        .agg(
            F.count("*").alias("customers"),
            F.avg("p_alive").alias("p_alive"),
            F.sum("expected_purchases").alias("purchases"),
            F.sum("expected_value").alias("value"),
        )
        .orderBy(F.desc("value"), "segment")
        .collect()
    )
    segments = [
        SegmentValue(row["segment"], row["customers"], row["p_alive"], row["purchases"], row["value"]) for row in rows
    ]
    return Value(model["horizon_days"], model["is_better"], model["verdict"], tuple(segments))


def read_offers(spark: SparkSession, lake: Lake, snapshot_date: dt.date) -> tuple[Offer, ...]:
    """For each segment the books that most of its customers are to be offered, with their latest titles."""
    recommendations = lake.find(spark, RECOMMENDATIONS)
    if recommendations is None:
        return ()
    most_first = Window.partitionBy("segment").orderBy(F.desc("customers"), "book_id")
    counted = recommendations.where(on(snapshot_date)).groupBy(_segment().alias("segment"), "book_id")
    most_offered = (
        counted.agg(F.count("*").alias("customers"))
        .withColumn("place", F.row_number().over(most_first))
        .where(F.col("place") <= BOOKS_PER_SEGMENT)
    )
    latest = [F.max_by(name, "__START_AT").alias(name) for name in ("title", "author")]
    titles = lake.read(spark, BOOKS_HISTORY).groupBy("book_id").agg(*latest)
    rows = most_offered.join(titles, on="book_id").orderBy("segment", "place").collect()
    return tuple(
        Offer(row["segment"], row["title"] or f"Book {row['book_id']}", row["author"] or "", row["customers"])
        for row in rows
    )


def _segment() -> Column:
    return F.coalesce("rfm_segment", F.lit(EARLIER_CUSTOMERS))
