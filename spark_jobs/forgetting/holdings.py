"""Whose rows are the customer's: in each table of the lake, those that go and those that become blank."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from spark_jobs.auto_cdc import find_companion
from spark_jobs.auto_cdc.spec import DELETE, KEY, ROW, SEQUENCE
from spark_jobs.forgetting.blanks import as_text, blanks, mentioned_customers
from spark_jobs.lake import Lake
from spark_jobs.tables import (
    CUSTOMERS,
    CUSTOMERS_CHANGES,
    OFFSET,
    ORDER_EVENTS,
    ORDERS,
    QUARANTINE,
    REPAIRS,
    Table,
    all_tables,
)

ID = "customer_id"
_OWNER = "__owner"


@dataclass(frozen=True)
class Holding:
    """The rows of a table that are about the customer.

    Attributes:
        holder: What the table is called in receipts, e.g. `silver.orders`.
        target: Its name.
        found: Values that tell these rows from others, of some of the table's columns.
        becomes_blank: Whether the rows stay, blank, instead of going.
    """

    holder: str
    target: str
    found: DataFrame
    becomes_blank: bool = False

    def rows(self) -> DataFrame:
        table = self.found.sparkSession.table(self.target)
        return table.join(self.found, self.found.columns, "left_semi")

    def erase(self) -> None:
        """One commit, whose entry in the table's log names no value."""
        same = " AND ".join(f"{self.target}.{name} = found.{name}" for name in self.found.columns)
        matched = self.found.alias("found").mergeInto(self.target, F.expr(same)).whenMatched()
        if self.becomes_blank:
            columns = self.found.sparkSession.table(self.target).schema
            matched.update(dict(blanks(columns))).merge()
        else:
            matched.delete().merge()


def in_bronze(spark: SparkSession, lake: Lake, tables: Sequence[Table], customer_id: int) -> list[Holding]:
    """The customer's messages. Those of `customers_changes` last: their addresses tell what quarantine has."""
    finders: dict[Table, Callable[[DataFrame], DataFrame]] = {
        QUARANTINE: lambda rows: _messages(rows, customer_id, _addresses(spark, lake, customer_id)),
        REPAIRS: lambda rows: _messages(rows, customer_id, _addresses(spark, lake, customer_id)),
        ORDER_EVENTS: lambda rows: _orders_of(
            rows.where("value IS NOT NULL"), customer_id, F.col("order_id"), F.col(ID), F.col("version")
        ).select(*OFFSET),
        CUSTOMERS_CHANGES: lambda rows: rows.where(F.col(ID) == customer_id).select(*OFFSET),
    }
    return [
        Holding(_holder(table), lake.name(table), finder(lake.read(spark, table)).distinct(), becomes_blank=True)
        for table, finder in finders.items()
        if table in tables
    ]


def in_tables(spark: SparkSession, lake: Lake, tables: Sequence[Table], customer_id: int) -> list[Holding]:
    """The customer's rows in every other table that has a `customer_id`, and the events that silver remembers."""
    whose = spark.range(1).select(F.lit(customer_id).cast("bigint").alias(ID))
    rows = [Holding(_holder(table), lake.name(table), whose) for table in tables if table.layer != "bronze"]
    # What is remembered first: as long as it is there, the next refresh may show it again.
    return [*_remembered(spark, lake, tables, customer_id), *rows]


def customer_tables(spark: SparkSession, lake: Lake) -> list[Table]:
    """The tables of the lake that may have rows about a customer."""
    return [table for table in all_tables() if table.is_about_customers and lake.exists(spark, table)]


def _holder(table: Table) -> str:
    return f"{table.layer}.{table.name}"


def companions(spark: SparkSession, lake: Lake, tables: Sequence[Table]) -> dict[Table, str]:
    """The tables that remember what became of customers and orders, where there are any."""
    names = {table: find_companion(spark, lake.name(table)) for table in _FINDERS if table in tables}
    return {table: name for table, name in names.items() if name is not None}


def _remembered(spark: SparkSession, lake: Lake, tables: Sequence[Table], customer_id: int) -> Iterator[Holding]:
    for table, companion in companions(spark, lake, tables).items():
        found = _FINDERS[table](spark.table(companion), customer_id).select(KEY, SEQUENCE, DELETE).distinct()
        yield Holding(f"{_holder(table)}__cdc", companion, found)


def _orders_of(events: DataFrame, customer_id: int, order: Column, customer: Column, version: Column) -> DataFrame:
    """Events of orders that are the customer's by their latest version, and those that name the customer.

    So an order that was a guest's before goes as a whole, and one that is now somebody else's stays theirs.

    Args:
        events: Whole orders at one version each; no deletions.
        customer_id: The customer.
        order: Which order it is.
        customer: Whose the order is at this version.
        version: What orders the events of an order.
    """
    named = events.where(customer == customer_id).select(order.alias("of_order")).distinct()
    of_orders = events.join(named, order == F.col("of_order"), "left_semi")
    owner = F.max_by(customer, version).over(Window.partitionBy(order))
    return of_orders.withColumn(_OWNER, owner).where((customer == customer_id) | (F.col(_OWNER) == customer_id))


def _addresses(spark: SparkSession, lake: Lake, customer_id: int) -> DataFrame:
    """Every e-mail address that the customer has had, in one row."""
    changes = lake.read(spark, CUSTOMERS_CHANGES).where((F.col(ID) == customer_id) & F.col("email").contains("@"))
    return changes.agg(F.collect_set(as_text(F.encode("email", "UTF-8"))).alias("addresses"))


def _messages(messages: DataFrame, customer_id: int, addresses: DataFrame) -> DataFrame:
    """Messages that name the customer or, where they name nobody, have one of the addresses."""
    names = mentioned_customers(F.col("key"), F.col("value"))
    has_address = F.exists("addresses", lambda address: as_text(F.col("value")).contains(address))
    is_theirs = F.array_contains("names", customer_id) | ((F.size("names") == 0) & has_address)
    return messages.withColumn("names", names).crossJoin(F.broadcast(addresses)).where(is_theirs).select(*OFFSET)


def _changes_of(events: DataFrame, customer_id: int) -> DataFrame:
    return events.where(F.col(f"{KEY}.{ID}") == customer_id)


def _versions_of(events: DataFrame, customer_id: int) -> DataFrame:
    order, customer = F.col(f"{KEY}.order_id"), F.col(f"{ROW}.{ID}")
    return _orders_of(events.where(~F.col(DELETE)), customer_id, order, customer, F.col(SEQUENCE))


_FINDERS = {CUSTOMERS: _changes_of, ORDERS: _versions_of}
"""What each table remembers of a customer."""
