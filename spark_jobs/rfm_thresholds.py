"""`gold.rfm_thresholds`: from which value on a partition's customers have a score, and how many have it."""

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.lake import Lake
from spark_jobs.partitions import on
from spark_jobs.tables import RFM_THRESHOLDS
from spark_jobs.transforms.scheme import METRICS, Scheme


class Threshold(NamedTuple):
    """A row of `gold.rfm_thresholds`.

    Attributes:
        threshold: The worst value that has the score: the most days, the fewest orders, the least money. None where
            any value has it, however bad, and where nobody has it.
        best_value: Of the customers who have it.
        customers: How many these are.
    """

    scheme: str
    snapshot_date: dt.date
    metric: str
    score: int
    threshold: Decimal | None
    best_value: Decimal | None
    customers: int


def write_thresholds(spark: SparkSession, lake: Lake, scored: DataFrame, scheme: Scheme, snapshot_date: dt.date) -> int:
    """Replaces the thresholds of a date and a scheme.

    They are told from the scores that were given: the lowest value that got a score is the one it begins at. That is
    one pass over the partition, which counts the customers too.

    Args:
        spark: The session.
        lake: Where the table is.
        scored: Customers with metrics and scores of the scheme.
        scheme: What they were scored by.
        snapshot_date: As of when.

    Returns:
        How many customers there are.
    """
    rows = _thresholds(scored, scheme, snapshot_date)
    where = f"{on(snapshot_date)} AND scheme = '{scheme.name}'"
    lake.replace_at_last(spark, RFM_THRESHOLDS, spark.createDataFrame(rows, RFM_THRESHOLDS.columns), where=where)
    return sum(row.customers for row in rows if row.metric == METRICS["r"])


def _thresholds(scored: DataFrame, scheme: Scheme, snapshot_date: dt.date) -> list[Threshold]:
    """Of every metric and score, also those that nobody has."""
    found = {(row["metric"], row["score"]): row for row in _ranges(scored).collect()}
    rows = []
    for metric, column in METRICS.items():
        configured = scheme.cut_points(metric)
        for score in scheme.scores(metric):
            worst, best, customers = found[metric, score][2:] if (metric, score) in found else (None, None, 0)
            if configured is not None:
                worst = configured[score - 2] if score > 1 else None
            rows.append(Threshold(scheme.name, snapshot_date, column, score, worst, best, customers))
    return rows


def _ranges(scored: DataFrame) -> DataFrame:
    """The worst and the best value of each score that somebody has."""
    measures = {"r": -F.col("recency_days"), "f": F.col("frequency"), "m": F.col("monetary")}
    each = [
        F.struct(
            F.lit(metric).alias("metric"),
            F.col(f"{metric}_score").alias("score"),
            measure.cast("decimal(18,2)").alias("value"),
        )
        for metric, measure in measures.items()
    ]
    worst, best = F.abs(F.min("value")).alias("worst"), F.abs(F.max("value")).alias("best")
    customers = F.count("*").alias("customers")
    return scored.select(F.inline(F.array(*each))).groupBy("metric", "score").agg(worst, best, customers)
