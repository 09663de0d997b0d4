"""What orders amount to, and their lines as they read when they were ordered."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.tables import ORDER_LINE_ITEMS, types

_AMOUNT = "decimal(18,2)"


def with_net_amount(orders: DataFrame) -> DataFrame:
    """Adds `net_amount`: what was ordered and not returned, at the price paid; 0 when cancelled, null without lines."""
    kept = F.aggregate("lines", F.lit(0).cast(_AMOUNT), _plus_line)
    amount = F.when(F.col("status") == "cancelled", F.lit(0).cast(_AMOUNT)).otherwise(kept)
    return orders.withColumn("net_amount", amount)


def _plus_line(total: Column, line: Column) -> Column:
    kept = line["quantity"] - line["returned_quantity"]
    return (total + kept * line["unit_price"]).cast(_AMOUNT)


def describe_lines(orders: DataFrame, books_history: DataFrame) -> DataFrame:
    """One row per line of an order, with the book's version in force when it was ordered.

    Args:
        orders: Rows of `silver.orders`.
        books_history: Rows of `silver.books_history`.

    Returns:
        Columns of `silver.order_lines`. A line without a version in force keeps its own columns, the book's are null.
    """
    lines = orders.select("order_id", "customer_id", "ordered_at", F.inline("lines")).alias("line")
    is_in_force = F.expr("""
        book.book_id = line.book_id
        AND book.__START_AT.ts_ms <= unix_millis(line.ordered_at)
        AND (book.__END_AT IS NULL OR unix_millis(line.ordered_at) < book.__END_AT.ts_ms)
    """)
    described = lines.join(books_history.alias("book"), is_in_force, "left")
    as_ordered = described.select("line.*", "title", "author", "genre", F.col("price").alias("list_price"))
    return as_ordered.select(*types(ORDER_LINE_ITEMS.columns))


def changed_lines(known: DataFrame, derived: DataFrame) -> DataFrame:
    """What has to be written so that the known lines become the derived ones: nothing where they are the same.

    Args:
        known: Rows of `silver.order_lines`.
        derived: What these rows should be.

    Returns:
        Columns of `silver.order_lines` and `is_gone`, which says that the line of this key is none any more.
    """
    keys = list(ORDER_LINE_ITEMS.keys)
    line = F.struct(*[name for name in types(ORDER_LINE_ITEMS.columns) if name not in keys])
    old, new = known.select(*keys, line.alias("known")), derived.select(*keys, line.alias("derived"))
    changed = old.join(new, keys, "full_outer").where(~F.col("known").eqNullSafe(F.col("derived")))
    return changed.select(*keys, "derived.*", F.col("derived").isNull().alias("is_gone"))


def orders_to_revise(order_lines: DataFrame, revisions: DataFrame) -> DataFrame:
    """The orders, by `order_id`, with a line that a change to a book's history may describe otherwise.

    Args:
        order_lines: Rows of `silver.order_lines`.
        revisions: `book_id` and `since_ms`: from that moment on, the book may have been another.
    """
    earliest = revisions.groupBy("book_id").agg(F.min("since_ms").alias("since_ms"))
    is_touched = F.unix_millis("ordered_at") >= F.col("since_ms")
    return order_lines.join(earliest, "book_id").where(is_touched).select("order_id").distinct()
