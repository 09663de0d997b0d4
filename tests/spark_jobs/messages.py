"""Kafka messages for tests: what a test doesn't mention gets an unremarkable value."""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.tables import ARRIVAL

NOW = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)

Bytes = bytes | None
Message = tuple[Bytes, Bytes]
"""A key and a value."""


def encode(content: object) -> Bytes:
    """Bytes and None as they are, text as UTF-8, anything else as JSON."""
    if content is None or isinstance(content, bytes):
        return content
    return content.encode() if isinstance(content, str) else json.dumps(content).encode()


def local(moment: str) -> dt.datetime:
    """An ISO moment as Spark hands timestamps to Python: in the machine's time zone, without saying so."""
    return dt.datetime.fromisoformat(moment).astimezone().replace(tzinfo=None)


def arrived(spark: SparkSession, topic: str, messages: Iterable[Message]) -> DataFrame:
    """The messages as ingest sees them, at offsets 0, 1, 2, … of partition 0."""
    rows = [(topic, 0, offset, NOW, key, value, NOW) for offset, (key, value) in enumerate(messages)]
    return spark.createDataFrame(rows, ARRIVAL)


def change(op: str, row: dict[str, Any] | None, ts_ms: int = 1_000, lsn: int = 1) -> dict[str, Any]:
    """A change event; a delete has the row before it."""
    before, after = (row, None) if op == "d" else (None, row)
    return {"before": before, "after": after, "op": op, "ts_ms": ts_ms + 5, "source": {"ts_ms": ts_ms, "lsn": lsn}}


def order(**fields: Any) -> dict[str, Any]:
    """An order with one line."""
    return {
        "order_id": "O-1",
        "customer_id": 17,
        "status": "placed",
        "version": 1,
        "ordered_at": "2026-01-31T10:15:00Z",
        "updated_at": "2026-01-31T10:16:00Z",
        "currency": "EUR",
        "lines": [line()],
        **fields,
    }


def line(**fields: Any) -> dict[str, Any]:
    return {"line_no": 1, "book_id": 5, "quantity": 2, "unit_price": "12.99", "returned_quantity": 0, **fields}


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}
