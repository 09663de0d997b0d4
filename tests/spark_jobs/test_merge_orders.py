"""Order events to the current state of every order, and lines described as of the order's time."""

from decimal import Decimal
from typing import Any

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from spark_jobs.jobs import merge_orders, upsert_books
from spark_jobs.lake import Lake
from spark_jobs.tables import BOOKS_CHANGES, ORDER_EVENTS, ORDER_LINE_ITEMS, ORDERS, types
from tests.spark_jobs.lakehouse import ORDERED_MS, append, book_change, deletion, line, order_event


def refresh(spark: SparkSession, lake: Lake) -> dict[str, Any]:
    upsert_books.run(spark, upsert_books.Config(lake.root))
    return merge_orders.run(spark, merge_orders.Config(lake.root))


def net_amounts(spark: SparkSession, lake: Lake) -> dict[str, tuple[int, Decimal]]:
    """Version and net amount of each order."""
    rows = lake.read(spark, ORDERS).collect()
    return {row.order_id: (row.version, row.net_amount) for row in rows}


def titles(spark: SparkSession, lake: Lake) -> dict[tuple[str, int], str | None]:
    """Of each line the title."""
    return {(row.order_id, row.line_no): row.title for row in lake.read(spark, ORDER_LINE_ITEMS).collect()}


def test_orders_follow_their_events_and_lines_the_books(spark: SparkSession, lake: Lake) -> None:
    append(
        spark,
        lake,
        BOOKS_CHANGES,
        book_change("c", "first", ORDERED_MS - 1),
        book_change("u", "next", ORDERED_MS + 1),
    )
    second_line = line(line_no=2, book_id=6, quantity=3, unit_price=Decimal("7.50"), returned_quantity=1)
    append(
        spark,
        lake,
        ORDER_EVENTS,
        order_event(version=2, lines=[line(), second_line]),
        order_event(version=1),
        order_event("O-2", status="cancelled"),
        deletion("O-3"),
        order_event("O-3", version=9),
        order_event("O-4", customer_id=None),
    )
    assert refresh(spark, lake) == {"rows": 3, "lines": 4}
    amounts = {"O-1": (2, Decimal("40.98")), "O-2": (1, Decimal("0.00")), "O-4": (1, Decimal("25.98"))}
    assert net_amounts(spark, lake) == amounts

    ordered_at = lake.read(spark, ORDERS).where("order_id = 'O-1'").collect()[0].ordered_at
    of_order = {"order_id": "O-1", "customer_id": 17, "ordered_at": ordered_at}
    of_book = {"title": "first", "author": "A", "genre": "G", "list_price": Decimal("10.00")}
    lines = lake.read(spark, ORDER_LINE_ITEMS)
    assert dict(lines.dtypes) == types(ORDER_LINE_ITEMS.columns)
    assert [row.asDict() for row in lines.where("order_id = 'O-1'").orderBy("line_no").collect()] == [
        {**of_order, **line(), **of_book},
        {**of_order, **second_line, **dict.fromkeys(of_book)},
    ]


@pytest.mark.full
def test_a_late_book_event_corrects_lines_of_orders_that_did_not_change(spark: SparkSession, lake: Lake) -> None:
    append(spark, lake, BOOKS_CHANGES, book_change("c", "first", ORDERED_MS - 1))
    append(spark, lake, ORDER_EVENTS, order_event(), order_event("O-2"), deletion("O-3"), order_event("O-4"))
    refresh(spark, lake)

    append(spark, lake, BOOKS_CHANGES, book_change("u", "late", ORDERED_MS))
    append(spark, lake, ORDER_EVENTS, deletion("O-2"), order_event("O-3", version=10), order_event(version=3))
    assert refresh(spark, lake) == {"rows": 2, "lines": 2}
    assert net_amounts(spark, lake) == {"O-1": (3, Decimal("25.98")), "O-4": (1, Decimal("25.98"))}
    assert titles(spark, lake) == {("O-1", 1): "late", ("O-4", 1): "late"}


@pytest.mark.full
def test_a_run_that_died_between_orders_and_lines_is_made_good(
    spark: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(spark, lake, BOOKS_CHANGES, book_change("c", "first", ORDERED_MS))
    append(spark, lake, ORDER_EVENTS, deletion("O-0"))
    assert refresh(spark, lake) == {"rows": 0, "lines": 0}
    append(spark, lake, ORDER_EVENTS, order_event())
    with monkeypatch.context() as patch:
        patch.setattr(merge_orders, "derive_lines", _die)
        with pytest.raises(StreamingQueryException, match="the power went out"):
            refresh(spark, lake)
    assert net_amounts(spark, lake) == {"O-1": (1, Decimal("25.98"))}
    assert titles(spark, lake) == {}
    assert merge_orders.run(spark, merge_orders.Config(lake.root)) == {"rows": 1, "lines": 1}
    assert titles(spark, lake) == {("O-1", 1): "first"}


def _die(*_: object) -> None:
    raise RuntimeError("the power went out")
