"""Customers merged with their orders: what each of them buys, keeps and returns."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_SECONDS_PER_DAY = 86_400
_OF_CUSTOMERS = ("customer_id", "email", "first_name", "last_name", "city", "country", "marketing_consent")


def customer_orders(customers: DataFrame, orders: DataFrame, order_lines: DataFrame) -> DataFrame:
    """One row per customer of `customers`, with or without orders; orders of anybody else don't count.

    A cancelled order counts in `cancelled_orders` and nowhere else. A returned one counts as an order, with the amount
    that was kept.

    Args:
        customers: `silver.customers`.
        orders: `silver.orders`.
        order_lines: `silver.order_lines`.

    Returns:
        The columns of `gold.customer_orders`. Without orders the counts are 0 and what would divide by them is null.
    """
    lines = order_lines.drop("customer_id").join(
        orders.where(~_cancelled()).select("order_id", "customer_id"), on="order_id"
    )
    return (
        customers.select(*_OF_CUSTOMERS)
        .join(_totals(orders), on="customer_id", how="left")
        .join(_items(lines), on="customer_id", how="left")
        .join(_favourite(lines, "genre"), on="customer_id", how="left")
        .join(_favourite(lines, "author"), on="customer_id", how="left")
        .select(
            *_OF_CUSTOMERS,
            *["first_order_at", "last_order_at"],
            _count("orders"),
            F.coalesce("net_amount", F.lit(0)).cast("decimal(18,2)").alias("net_amount"),
            F.round(F.col("net_amount") / _unless_zero("orders"), 2).cast("decimal(18,2)").alias("average_basket"),
            _count("items_bought"),
            _count("items_returned"),
            (F.col("items_returned") / _unless_zero("items_bought")).alias("returns_rate"),
            _days_between_orders().alias("days_between_orders"),
            _count("cancelled_orders"),
            "favourite_genre",
            "favourite_author",
        )
    )


def _cancelled() -> Column:
    return F.col("status") == "cancelled"


def _totals(orders: DataFrame) -> DataFrame:
    counted = ~_cancelled()
    return orders.groupBy("customer_id").agg(
        F.min(F.when(counted, F.col("ordered_at"))).alias("first_order_at"),
        F.max(F.when(counted, F.col("ordered_at"))).alias("last_order_at"),
        F.count_if(counted).alias("orders"),
        F.count_if(_cancelled()).alias("cancelled_orders"),
        F.sum(F.when(counted, F.col("net_amount"))).alias("net_amount"),
    )


def _items(lines: DataFrame) -> DataFrame:
    return lines.groupBy("customer_id").agg(
        F.sum("quantity").alias("items_bought"), F.sum("returned_quantity").alias("items_returned")
    )


def _favourite(lines: DataFrame, taste: str) -> DataFrame:
    """The value of `taste` that most kept copies have; on a tie the one with more spent, then the first by name."""
    kept = F.col("quantity") - F.col("returned_quantity")
    per_value = (
        lines.where(F.col(taste).isNotNull() & (kept > 0))
        .groupBy("customer_id", taste)
        .agg(F.sum(kept).alias("copies"), F.sum(kept * F.col("unit_price")).alias("spent"))
    )
    # The smallest struct instead of a sorted window: it needs no sort, and names settle what is still tied.
    best = F.min(F.struct(-F.col("copies"), -F.col("spent"), F.col(taste)))
    return per_value.groupBy("customer_id").agg(best[taste].alias(f"favourite_{taste}"))


def _days_between_orders() -> Column:
    """Mean days from one order to the next; null with fewer than two orders."""
    seconds = F.unix_timestamp("last_order_at") - F.unix_timestamp("first_order_at")
    return seconds / F.nullif(F.col("orders") - 1, F.lit(0)) / _SECONDS_PER_DAY


def _count(name: str) -> Column:
    return F.coalesce(name, F.lit(0)).cast("bigint").alias(name)


def _unless_zero(name: str) -> Column:
    return F.nullif(F.col(name), F.lit(0))
