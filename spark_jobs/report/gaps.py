"""Reads what the page says about scores that nobody has."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from spark_jobs.lake import Lake
from spark_jobs.partitions import on
from spark_jobs.tables import RFM_THRESHOLDS
from spark_jobs.transforms.scheme import CONTRACT


class Gap(NamedTuple):
    """Scores in a row that no customer has.

    Attributes:
        metric: A column of `gold.rfm`.
        scores: From the lowest.
        value: What too many customers have in common for anybody to have these scores.
    """

    metric: str
    scores: tuple[int, ...]
    value: Decimal


def read_gaps(spark: SparkSession, lake: Lake, snapshot_date: dt.date) -> tuple[Gap, ...]:
    """The gaps of a date; none are told of a partition that was made before thresholds were kept."""
    thresholds = lake.find(spark, RFM_THRESHOLDS)
    if thresholds is None:
        return ()
    of_date = thresholds.where(on(snapshot_date)).where(F.col("scheme") == CONTRACT)
    return gaps_in(of_date.orderBy("metric", "score").collect())


def gaps_in(thresholds: Iterable[Row]) -> tuple[Gap, ...]:
    """The gaps, by the thresholds of a partition in order of metric and score.

    Scores only leave one out where more than a fifth of the customers have the same value: the best one of the score
    below the gap. Score 1 always has somebody, the worst value of all.
    """
    gaps: dict[tuple[str, Decimal], list[int]] = {}
    below: Decimal | None = None
    for row in thresholds:
        if row["customers"]:
            below = row["best_value"]
        elif below is not None:
            gaps.setdefault((row["metric"], below), []).append(row["score"])
    return tuple(Gap(metric, tuple(scores), value) for (metric, value), scores in gaps.items())
