"""Reads what the page says about customers: aggregates, and a small sample."""

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from spark_jobs.report.content import Group, Point

SAMPLE_SIZE = 2_000
_SAMPLE_SEED = 42
_EVERYBODY = "All customers"


def read_segments(rfm: DataFrame) -> tuple[Group, tuple[Group, ...]]:
    """All customers of an RFM partition together, and each segment, by revenue."""
    rows = rfm.rollup("rfm_segment").agg(*_measures()).orderBy(F.desc("revenue"), "rfm_segment").collect()
    total = next(row for row in rows if row["rfm_segment"] is None)
    segments = tuple(_group(row["rfm_segment"], row) for row in rows if row["rfm_segment"] is not None)
    return _group(_EVERYBODY, total), segments


def read_cells(rfm: DataFrame) -> dict[tuple[int, int], int]:
    """How many customers have each pair of R and F score."""
    rows = rfm.groupBy("r_score", "f_score").agg(F.count("*").alias("customers")).collect()
    return {(row["r_score"], row["f_score"]): row["customers"] for row in rows}


def read_members(rfm: DataFrame, segments: DataFrame) -> dict[int, tuple[Group, float]]:
    """The customers of each cluster, by its id, and the mean of their confidence."""
    rows = (
        _with_clusters(rfm, segments)
        .groupBy("cluster_id", "cluster_name")
        .agg(*_measures(), F.avg("confidence").alias("confidence"))
        .collect()
    )
    return {row["cluster_id"]: (_group(row["cluster_name"], row), row["confidence"]) for row in rows}


def read_sample(rfm: DataFrame, segments: DataFrame) -> tuple[Point, ...]:
    """Up to `SAMPLE_SIZE` customers: the same ones each time, since a hash of the customer decides."""
    rows = (
        _with_clusters(rfm, segments)
        .orderBy(F.xxhash64("customer_id", F.lit(_SAMPLE_SEED)), "customer_id")
        .limit(SAMPLE_SIZE)
        .select("cluster_id", "recency_days", F.col("monetary").cast("double").alias("monetary"))
        .collect()
    )
    return tuple(Point(row["cluster_id"], row["recency_days"], row["monetary"]) for row in rows)


def _with_clusters(rfm: DataFrame, segments: DataFrame) -> DataFrame:
    return rfm.join(segments.select("customer_id", "cluster_id", "cluster_name", "confidence"), on="customer_id")


def _measures() -> list[Column]:
    # Approximate medians, since exact ones hold every value in one place; exact up to some ten thousand customers.
    medians = [F.percentile_approx(name, 0.5).alias(name) for name in ("recency_days", "frequency", "monetary")]
    totals = {"customers": F.count("*"), "orders": F.sum("frequency"), "revenue": F.sum("monetary")}
    return [column.alias(name) for name, column in totals.items()] + medians


def _group(name: str, row: Row) -> Group:
    return Group(
        name=name,
        customers=row["customers"],
        orders=row["orders"],
        revenue=row["revenue"],
        recency_days=row["recency_days"],
        frequency=row["frequency"],
        monetary=row["monetary"],
    )
