"""Running `ingest_events` against a real broker, and seeing where each message went."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from spark_jobs import bronze
from spark_jobs.jobs import ingest_events
from spark_jobs.lake import Lake
from spark_jobs.tables import BOOKS_CHANGES, CUSTOMERS_CHANGES, ORDER_EVENTS, QUARANTINE, Table
from spark_jobs.topics import TOPICS
from tests.broker import Broker
from tests.spark_jobs.messages import Message, encode, order

CUSTOMERS, BOOKS, ORDERS = TOPICS
TABLES = (CUSTOMERS_CHANGES, BOOKS_CHANGES, ORDER_EVENTS, QUARANTINE)


def run(spark: SparkSession, lake: Lake, broker: Broker, **arguments: Any) -> dict[str, Any]:
    """Runs the job, which by default says nothing of how much is in quarantine."""
    config = {"max_quarantined_percent": 100, **arguments}
    return ingest_events.run(spark, ingest_events.Config(lake.root, broker.bootstrap_servers, **config))


def orders(*numbers: int) -> list[Message]:
    return [(f"O-{number}".encode(), encode(order(order_id=f"O-{number}"))) for number in numbers]


@contextmanager
def dying_behind(monkeypatch: pytest.MonkeyPatch, last: Table) -> Iterator[None]:
    """A batch dies as soon as it has written that table."""
    append = bronze.Appender.__call__

    def append_and_die(self: bronze.Appender, to: Table, rows: DataFrame) -> None:
        append(self, to, rows)
        if to == last:
            raise RuntimeError("the power went out")

    with monkeypatch.context() as patch:
        patch.setattr(bronze.Appender, "__call__", append_and_die)
        yield


def stored(spark: SparkSession, lake: Lake, *tables: Table) -> list[tuple[str, int, int]]:
    """Where each row of the tables came from, by default of all: one that stands twice shows twice."""
    rows = [
        row
        for table in tables or TABLES
        for row in lake.read(spark, table).select("topic", "partition", "offset").collect()
    ]
    return sorted((row.topic, row.partition, row.offset) for row in rows)
