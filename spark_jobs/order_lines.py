"""`silver.order_lines`: for any set of orders, made to follow from `silver.orders` and `silver.books_history`."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.lake import Lake
from spark_jobs.tables import BOOKS_HISTORY, ORDER_LINE_ITEMS, ORDERS
from spark_jobs.transforms.orders import changed_lines, describe_lines


def derive_lines(lake: Lake, order_ids: DataFrame) -> None:
    """Makes the lines of some orders right, in one commit; those that are right already aren't written.

    The lines are a function of the two tables as they are now, so this can be done again, and in any order.

    Args:
        lake: Where the tables are.
        order_ids: One column, `order_id`; of an order that isn't there any more, the lines go.
    """
    spark = order_ids.sparkSession
    orders = lake.read(spark, ORDERS).join(order_ids, "order_id", "left_semi")
    known = lake.read(spark, ORDER_LINE_ITEMS).join(order_ids, "order_id", "left_semi")
    changes = changed_lines(known, describe_lines(orders, lake.read(spark, BOOKS_HISTORY)))
    target = lake.name(ORDER_LINE_ITEMS)
    is_same = " AND ".join(f"{target}.{key} = change.{key}" for key in ORDER_LINE_ITEMS.keys)
    merge = changes.alias("change").mergeInto(target, F.expr(is_same))
    merge = merge.whenMatched(F.col("change.is_gone")).delete().whenMatched().updateAll()
    merge.whenNotMatched(~F.col("change.is_gone")).insertAll().merge()
