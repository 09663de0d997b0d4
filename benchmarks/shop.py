"""A bookstore's silver tables of any size, straight into Delta: what years would have left, and a day more."""

import datetime as dt
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMERS, ORDER_LINE_ITEMS, ORDERS, RFM, RFM_TOTALS, Table, types
from spark_jobs.transforms.orders import with_net_amount

LAST_DAY = dt.date(2026, 1, 31)
YEARS = 5
_BOOKS = 5_000
_MOST_LINES = 5
_LINES_PER_ORDER = 3
"""On average: orders have 1, 2, 3, 4 and 5 lines in turn."""
_ORDERS_PER_FILE = 500_000
_DAYS = YEARS * 365
_SECONDS = _DAYS * 86_400


@dataclass(frozen=True)
class Shop:
    """How much has been sold, in `YEARS` years up to the end of `LAST_DAY`.

    Attributes:
        lake: Where its tables are.
        lines: How many lines its orders have.
        customers: How many there are.
    """

    lake: Lake
    lines: int
    customers: int

    @property
    def orders(self) -> int:
        return self.lines // _LINES_PER_ORDER

    @property
    def orders_before_last_day(self) -> int:
        return self.orders - self.orders // _DAYS


def open_shop(spark: SparkSession, shop: Shop) -> None:
    """Writes the tables in the order in which orders came; of `silver.orders`, all but what the last day brings."""
    customers = spark.range(shop.customers).withColumnRenamed("id", "customer_id")
    _append(shop.lake, CUSTOMERS, customers)
    _append(shop.lake, ORDER_LINE_ITEMS, _described(_orders(spark, shop, 0, shop.orders)))
    before = _orders(spark, shop, 0, shop.orders_before_last_day)
    sent_back_since = F.when(_is_corrected(shop), 5).otherwise(0)
    _append(shop.lake, ORDERS, before.withColumn("net_amount", F.col("net_amount") + sent_back_since))
    for table in (RFM, RFM_TOTALS):
        _append(shop.lake, table, spark.createDataFrame([], table.columns))


def live_the_last_day(spark: SparkSession, shop: Shop) -> None:
    """Brings the day's orders into `silver.orders`, all those of the week before once more, and late corrections."""
    week = 7 * (shop.orders // _DAYS)
    recent = _orders(spark, shop, shop.orders_before_last_day - week, shop.orders)
    older = _orders(spark, shop, 0, shop.orders_before_last_day - week).where(_is_corrected(shop))
    changed = _in_shape(ORDERS, recent.unionByName(older)).alias("changed")
    target = f"delta.`{shop.lake.path(ORDERS)}`"
    merge = changed.mergeInto(target, F.expr(f"{target}.order_id = changed.order_id"))
    merge.whenMatched().updateAll().whenNotMatched().insertAll().merge()


def _is_corrected(shop: Shop) -> Column:
    """A thousand orders of all years; of some of them everything was sent back, and they count no more."""
    return F.col("number") % max(1, shop.orders // 1_000) == 0


def _orders(spark: SparkSession, shop: Shop, first: int, end: int) -> DataFrame:
    """Some of the orders, by their `number`. None is cancelled, which their lines alone could not tell."""
    number = F.col("number")
    start = int(dt.datetime.combine(LAST_DAY, dt.time(), tzinfo=dt.UTC).timestamp()) + 86_400 - _SECONDS
    lines = F.slice(F.array(*[_line(line_no) for line_no in range(1, _MOST_LINES + 1)]), 1, number % _MOST_LINES + 1)
    numbers = spark.range(first, end, 1, max(1, (end - first) // _ORDERS_PER_FILE)).withColumnRenamed("id", "number")
    orders = numbers.select(
        "number",
        F.concat(F.lit("O-"), number).alias("order_id"),
        _draw(shop.customers, number).alias("customer_id"),
        F.lit("delivered").alias("status"),
        F.lit(1).cast("bigint").alias("version"),
        F.timestamp_seconds(F.lit(start) + F.floor(number * _SECONDS / shop.orders)).alias("ordered_at"),
        lines.alias("lines"),
    )
    return with_net_amount(orders)


def _line(line_no: int) -> Column:
    drawn = _draw(2**30, F.col("number"), F.lit(line_no))
    quantity = (1 + drawn % 3).cast("int")
    return F.struct(
        F.lit(line_no).alias("line_no"),
        (drawn % _BOOKS).alias("book_id"),
        quantity.alias("quantity"),
        ((500 + drawn % 4_001) / 100).cast("decimal(10,2)").alias("unit_price"),
        F.when(drawn % 20 == 0, quantity).otherwise(0).alias("returned_quantity"),
    )


def _draw(choices: int, *seed: Column) -> Column:
    return F.pmod(F.xxhash64(*seed), F.lit(choices))


def _described(orders: DataFrame) -> DataFrame:
    book = F.col("book_id")
    described = {
        "title": F.concat(F.lit("Title "), book),
        "author": F.concat(F.lit("Author "), book % 700),
        "genre": F.concat(F.lit("Genre "), book % 12),
        "list_price": F.col("unit_price"),
    }
    return orders.select("order_id", "customer_id", "ordered_at", F.inline("lines")).withColumns(described)


def _append(lake: Lake, table: Table, rows: DataFrame) -> None:
    """By path: the tables of two shops have the same names."""
    writer = _in_shape(table, rows).write.format("delta").partitionBy(*table.partitioned_by)
    for name, value in table.properties:
        writer = writer.option(name, value)
    writer.save(lake.path(table))


def _in_shape(table: Table, rows: DataFrame) -> DataFrame:
    known = {name: F.col(name) if name in rows.columns else F.lit(None) for name in types(table.columns)}
    return rows.select(*[known[name].cast(kind).alias(name) for name, kind in types(table.columns).items()])
