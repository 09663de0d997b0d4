"""The lake before and after its weekly tidying: the same rows, in fewer files, with less remembered."""

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from spark_jobs.errors import ArgumentError
from spark_jobs.jobs import maintain_tables, merge_customers, merge_orders, upsert_books
from spark_jobs.lake import Lake
from spark_jobs.tables import (
    BOOKS_CHANGES,
    BOOKS_HISTORY,
    CUSTOMERS,
    CUSTOMERS_CHANGES,
    ORDER_EVENTS,
    ORDER_LINE_ITEMS,
    ORDERS,
)
from tests.spark_jobs.lakehouse import append, book_change, customer_change, deletion, order_event

_READ = (CUSTOMERS, BOOKS_HISTORY, ORDERS, ORDER_LINE_ITEMS)


def refresh(spark: SparkSession, lake: Lake) -> None:
    merge_customers.run(spark, merge_customers.Config(lake.root))
    upsert_books.run(spark, upsert_books.Config(lake.root))
    merge_orders.run(spark, merge_orders.Config(lake.root))


def maintain(spark: SparkSession, lake: Lake, **arguments: Any) -> dict[str, Any]:
    return dict(maintain_tables.run(spark, maintain_tables.Config(lake.root, **arguments)))


def count_files(spark: SparkSession, lake: Lake) -> int:
    return len(lake.read(spark, CUSTOMERS_CHANGES).inputFiles())


def rows(spark: SparkSession, lake: Lake) -> dict[str, list[Any]]:
    return {table.name: sorted(lake.read(spark, table).collect(), key=str) for table in _READ}


def remembered(spark: SparkSession, lake: Lake) -> dict[str, int]:
    """How many events each table remembers."""
    names = ("customers", "orders", "books_history")
    return {name: spark.read.format("delta").load(f"{lake.root}/silver/{name}__cdc").count() for name in names}


@pytest.mark.full
def test_readers_see_the_same_rows_in_fewer_files_of_which_less_is_remembered(spark: SparkSession, lake: Lake) -> None:
    _make_busy(spark, lake)
    before = rows(spark, lake)
    assert count_files(spark, lake) > 1
    orphans = _left_behind(lake, 29, 31)

    assert maintain(spark, lake) == {"tables": 8}

    assert rows(spark, lake) == before
    assert count_files(spark, lake) == 1
    # One event of each customer and order, an upsert and a delete; all of the book, since one may come between.
    assert remembered(spark, lake) == {"customers": 2, "orders": 2, "books_history": 3}
    assert {days: file.exists() for days, file in orphans.items()} == {29: True, 31: False}
    first = spark.read.format("delta").option("versionAsOf", 2).load(lake.path(CUSTOMERS))
    assert {(row.customer_id, row.city) for row in first.collect()} == {(1, "Rome"), (2, "Oslo")}

    maintain(spark, lake, forget_after_days=0)

    assert rows(spark, lake) == before
    # The customer's deletion is forgotten; the order's is for good.
    assert remembered(spark, lake) == {"customers": 1, "orders": 2, "books_history": 0}
    _check_what_comes_later(spark, lake)


def _make_busy(spark: SparkSession, lake: Lake) -> None:
    append(spark, lake, CUSTOMERS_CHANGES, customer_change("c", 1, "Rome", 10), customer_change("c", 2, "Oslo", 10))
    append(spark, lake, BOOKS_CHANGES, book_change("c", "first", 1_000), book_change("u", "first", 2_000))
    append(spark, lake, ORDER_EVENTS, order_event("O-1"), order_event("O-2"))
    refresh(spark, lake)
    append(spark, lake, CUSTOMERS_CHANGES, customer_change("d", 2, None, 20), customer_change("u", 1, "Bern", 20))
    append(spark, lake, BOOKS_CHANGES, book_change("u", "second", 3_000))
    append(spark, lake, ORDER_EVENTS, deletion("O-2"))
    refresh(spark, lake)


def _left_behind(lake: Lake, *ages: int) -> dict[int, Path]:
    """Files of these ages in days that no version of the table has."""
    folder = Path(lake.path(CUSTOMERS).removeprefix("file:"))
    files = {days: folder / f"left-behind-{days}.parquet" for days in ages}
    for days, file in files.items():
        file.write_bytes(b"")
        then = (dt.datetime.now(dt.UTC) - dt.timedelta(days=days)).timestamp()
        os.utime(file, (then, then))
    return files


def _check_what_comes_later(spark: SparkSession, lake: Lake) -> None:
    append(spark, lake, ORDER_EVENTS, order_event("O-2", version=9))
    append(spark, lake, CUSTOMERS_CHANGES, customer_change("u", 1, "Late", 15))
    append(spark, lake, BOOKS_CHANGES, book_change("u", "third", 4_000))
    refresh(spark, lake)
    assert [row.order_id for row in lake.read(spark, ORDERS).collect()] == ["O-1"]
    assert [row.city for row in lake.read(spark, CUSTOMERS).collect()] == ["Bern"]
    versions = lake.read(spark, BOOKS_HISTORY).orderBy("__START_AT").collect()
    assert [(row.title, row["__START_AT"].ts_ms) for row in versions] == [
        ("first", 1_000),
        ("second", 3_000),
        ("third", 4_000),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"forget_after_days": -1}, "--forget_after_days must be at least 0, found -1"),
        ({"keep_files_days": 6}, "--keep_files_days must be at least 7, found 6"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        maintain_tables.Config("file:/nowhere", **arguments)
