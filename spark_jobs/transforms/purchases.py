"""Purchases by day: what a customer's future is estimated from, and what is held out to test the estimate."""

import datetime as dt

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.transforms.rfm import utc_date


def purchase_days(counted: DataFrame) -> DataFrame:
    """One row per customer and UTC day with an order that counts: `customer_id`, `day`, `value`.

    Two orders of a day are one purchase: the second one says nothing about when the customer will come back.
    """
    by_day = counted.groupBy("customer_id", utc_date("ordered_at").alias("day"))
    return by_day.agg(F.sum("net_amount").cast("decimal(18,2)").alias("value"))


def histories(days: DataFrame, until: dt.date) -> DataFrame:
    """What is known of each customer at the end of a day.

    Args:
        days: As `purchase_days` gives them.
        until: The last day that is known.

    Returns:
        `customer_id`; `repeats`, days with a purchase after the first; `last_repeat_days` and `age_days`, from the
        first to the last one and to `until`; `repeat_value`, the mean worth of the repeat days, 0 without any.
    """
    repeats = F.col("days") - 1
    return (
        days.where(F.col("day") <= F.lit(until))
        .groupBy("customer_id")
        .agg(
            F.count("*").alias("days"),
            F.min("day").alias("first_day"),
            F.max("day").alias("last_day"),
            F.sum("value").alias("spent"),
            F.min_by("value", "day").alias("spent_first"),
        )
        .select(
            "customer_id",
            repeats.alias("repeats"),
            F.date_diff("last_day", "first_day").alias("last_repeat_days"),
            F.date_diff(F.lit(until), "first_day").alias("age_days"),
            F.coalesce(
                _as_double(F.col("spent") - F.col("spent_first")) / F.nullif(repeats, F.lit(0)), F.lit(0.0)
            ).alias("repeat_value"),
        )
    )


def held_out(days: DataFrame, until: dt.date, horizon_days: int) -> DataFrame:
    """Histories as they were `horizon_days` before a date, what came then, and what had come in as many days before.

    Returns:
        The columns of `histories`, and `purchases`, `value`, `last_purchases` and `last_value`.
    """
    cut = until - dt.timedelta(days=horizon_days)
    start = cut - dt.timedelta(days=horizon_days)
    came = (F.col("day") > F.lit(cut)) & (F.col("day") <= F.lit(until))
    had_come = (F.col("day") > F.lit(start)) & (F.col("day") <= F.lit(cut))
    periods = days.groupBy("customer_id").agg(
        F.count_if(came).alias("purchases"),
        _worth(came).alias("value"),
        F.count_if(had_come).alias("last_purchases"),
        _worth(had_come).alias("last_value"),
    )
    return histories(days, cut).join(periods, on="customer_id")


def _worth(condition: Column) -> Column:
    return F.coalesce(_as_double(F.sum(F.when(condition, F.col("value")))), F.lit(0.0))


def _as_double(amount: Column) -> Column:
    return amount.cast("double")
