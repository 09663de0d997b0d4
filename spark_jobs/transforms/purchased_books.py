"""Which customers have which books, and which books were on sale."""

import datetime as dt

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.transforms.rfm import midnight, ordered_within

MOST_BOOKS = 100
"""A customer's newest books, from which taste is told: the pairs of books grow with the square of it."""


def counted_lines(lines: DataFrame, counted: DataFrame) -> DataFrame:
    """The lines of the orders that count, whoever ordered them.

    Args:
        lines: `silver.order_lines`.
        counted: As `transforms.rfm.counted_orders` gives them.

    Returns:
        `customer_id`, `book_id`, `genre`, `ordered_at` and `kept`, the copies that didn't come back.
    """
    kept = F.col("quantity") - F.col("returned_quantity")
    return lines.join(counted.select("order_id"), on="order_id", how="left_semi").select(
        "customer_id", "book_id", "genre", "ordered_at", kept.alias("kept")
    )


def purchases(counted_lines: DataFrame, *, snapshot_date: dt.date, lookback_days: int) -> DataFrame:
    """Each book that a customer has ever bought: `customer_id`, `book_id`, `genre`, and `last_at`.

    That is null where it says nothing of taste: it came back, is from before the look-back, or many newer ones are.
    """
    within = ordered_within(snapshot_date, lookback_days) & (F.col("kept") > 0)
    telling = F.when(within, F.col("ordered_at"))
    newest_first = Window.partitionBy("customer_id").orderBy(F.desc("last_at"), "book_id")
    return (
        counted_lines.groupBy("customer_id", "book_id")
        .agg(F.max_by("genre", telling).alias("genre"), F.max(telling).alias("last_at"))
        .withColumn("place", F.row_number().over(newest_first))
        .withColumn("last_at", F.when(F.col("place") <= MOST_BOOKS, F.col("last_at")))
        .drop("place")
    )


def tastes(purchases: DataFrame) -> DataFrame:
    """The newest kept books of the look-back: the columns of `purchases`."""
    return purchases.where(F.col("last_at").isNotNull())


def on_sale(books_history: DataFrame, snapshot_date: dt.date) -> DataFrame:
    """The books that were listed at the end of a day: `book_id`, `genre`."""
    end = F.lit(_milliseconds(snapshot_date + dt.timedelta(days=1)))
    still_open = F.col("__END_AT").isNull() | (F.col("__END_AT.ts_ms") >= end)
    return books_history.where((F.col("__START_AT.ts_ms") < end) & still_open).select("book_id", "genre")


def _milliseconds(day: dt.date) -> int:
    return round(midnight(day).timestamp() * 1_000)
