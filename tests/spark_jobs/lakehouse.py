"""Bronze rows for the tests of silver, as ingest leaves them."""

import datetime as dt
from decimal import Decimal
from typing import Any

from pyspark.sql import SparkSession

from spark_jobs.lake import Lake
from spark_jobs.tables import LAYERS, Table
from tests.spark_jobs.bookstore import Row, frame

ORDERED_AT = dt.datetime(2026, 1, 31, 10, 15, tzinfo=dt.UTC)
ORDERED_MS = round(ORDERED_AT.timestamp() * 1_000)


def append(spark: SparkSession, lake: Lake, table: Table, *rows: Row) -> None:
    """One commit of a bronze table; a column that a row leaves out is null."""
    frame(spark, table, rows).write.format("delta").mode("append").save(lake.path(table))


def customer_change(op: str | None, customer_id: int | None, city: str | None, ts_ms: int) -> Row:
    return {"op": op, "customer_id": customer_id, "city": city, "sequence": {"ts_ms": ts_ms, "lsn": 0}}


def book_change(op: str, title: str, ts_ms: int) -> Row:
    """A change to book 5."""
    row = {"book_id": 5, "title": title, "author": "A", "genre": "G", "price": Decimal("10.00")}
    return {"op": op, "sequence": {"ts_ms": ts_ms, "lsn": 0}, **row}


def order_event(order_id: str = "O-1", **fields: Any) -> Row:
    """An order with one line of 2 x 12.99."""
    return {
        "value": b"{}",
        "order_id": order_id,
        "customer_id": 17,
        "status": "placed",
        "version": 1,
        "ordered_at": ORDERED_AT,
        "currency": "EUR",
        "lines": [line()],
        **fields,
    }


def deletion(order_id: str) -> Row:
    return {"order_id": order_id}


def line(**fields: Any) -> dict[str, Any]:
    usual = {"line_no": 1, "book_id": 5, "quantity": 2, "unit_price": Decimal("12.99"), "returned_quantity": 0}
    return usual | fields


def forget_names(spark: SparkSession) -> None:
    """The tables' names are free for another lake; their files stay."""
    for layer in LAYERS:
        spark.sql(f"DROP SCHEMA IF EXISTS {layer} CASCADE")
