"""A small shop's way through the lake, ingest to report, with one customer who will ask to be forgotten."""

import datetime as dt
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from spark_jobs.bronze import Appender, Bronze, write_planned
from spark_jobs.checkpoints import BatchPlan
from spark_jobs.jobs import (
    aggregate_rfm,
    export_audience,
    measure_campaign,
    merge_customer_orders,
    merge_customers,
    merge_orders,
    upsert_books,
)
from spark_jobs.lake import Lake
from spark_jobs.tables import ARRIVAL, INGEST_AUDIT, QUARANTINE, REPAIRS
from spark_jobs.topics import TOPICS, read_topics
from tests.spark_jobs.messages import NOW, Message, change, encode, order

ANN, BEN = 4711170, 18
EMAIL = "annabel.quill@mail.test"
NEEDLES = (EMAIL.encode(), b"Annabel", b"Quillington", b"Zwischbergen", str(ANN).encode(), struct.pack("<q", ANN))
"""What must be found in no file: text, and the id as Parquet stores it."""

CUSTOMERS, BOOKS, ORDERS = TOPICS
D = dt.date(2026, 1, 31)


def customer(customer_id: int, **fields: Any) -> dict[str, Any]:
    return {"customer_id": customer_id, "email": f"{customer_id}@example.org", "marketing_consent": True, **fields}


def ann(**fields: Any) -> dict[str, Any]:
    return customer(ANN, email=EMAIL, first_name="Annabel", last_name="Quillington", city="Zwischbergen", **fields)


def key(customer_id: int) -> bytes | None:
    return encode({"customer_id": customer_id})


def order_message(order_id: str, customer_id: int | None, **fields: Any) -> Message:
    return order_id.encode(), encode(order(order_id=order_id, customer_id=customer_id, **fields))


MESSAGES: dict[str, list[Message]] = {
    CUSTOMERS: [
        (key(ANN), encode(change("c", ann(), 1))),
        (key(BEN), encode(change("c", customer(BEN), 2))),
        (key(ANN), encode(change("u", ann(country="CH"), 3))),
        (None, encode({"op": "?", "after": ann()})),
        (None, f'{{"op":"c","after":{{"email":"{EMAIL}"'.encode()),
        (key(ANN), None),
    ],
    BOOKS: [(None, encode(change("c", {"book_id": 5, "title": "Flatland", "price": "9.99"}, 1)))],
    ORDERS: [
        order_message("O-1", ANN),
        order_message("O-1", ANN, version=2, status="paid"),
        order_message("O-2", BEN),
        order_message("O-3", None),  # a guest's, then hers: all of it goes
        order_message("O-3", ANN, version=2),
        order_message("O-4", ANN),  # hers, then his: it stays with him
        order_message("O-4", BEN, version=2),
        order_message("O-5", ANN, currency="USD"),
        order_message("O-6", ANN),
        (b"O-6", None),
    ],
}


THE_SAME_AGAIN = {
    topic: [(key, value) for key, value in messages if value is None or value.endswith(b"}")]
    for topic, messages in MESSAGES.items()
}
"""All but the message that was cut short before it named anybody: nothing tells any more whose address it has."""


def fill(spark: SparkSession, lake: Lake) -> None:
    """All the way: a partition, and an audience of the one segment that so few customers have."""
    ingest(spark, lake, 0)
    refresh(spark, lake)
    aggregate_rfm.run(spark, aggregate_rfm.Config(lake.root, D))
    config = export_audience.Config(lake.root, "spring", "Hibernating", D, held_out_share=0.0)
    export_audience.run(spark, config)
    measure_campaign.run(spark, measure_campaign.Config(lake.root, "spring"))


def ingest(spark: SparkSession, lake: Lake, batch: int, messages: dict[str, list[Message]] = MESSAGES) -> None:
    """Writes the messages as ingest does, behind those of the batches before: each begins at 100 times its number."""
    lake.create(spark, *TOPICS.values(), QUARANTINE, INGEST_AUDIT, REPAIRS)
    arrived = {
        topic: spark.createDataFrame(
            [(topic, 0, 100 * batch + place, NOW, *message, NOW) for place, message in enumerate(of_topic)], ARRIVAL
        )
        for topic, of_topic in messages.items()
    }
    plan = BatchPlan(
        "stream", {(topic, 0): range(100 * batch, 100 * batch + len(messages[topic])) for topic in messages}
    )
    write_planned(read_topics(arrived, "EUR"), plan, Appender(lake, "stream", batch), Bronze(lake, ""))


def refresh(spark: SparkSession, lake: Lake) -> None:
    for job in (merge_customers, upsert_books, merge_orders, merge_customer_orders):
        job.run(spark, job.Config(lake.root))


def files_with(lake: Lake, needles: Iterable[bytes] = NEEDLES) -> set[str]:
    """The folders, below the lake's root, of all files that have any of the needles in their bytes."""
    root = Path(lake.root.removeprefix("file:"))
    found = [file for file in root.rglob("*") if file.is_file() and _has_any(file.read_bytes(), needles)]
    return {"/".join(file.relative_to(root).parts[:-1]) for file in found}


def _has_any(content: bytes, needles: Iterable[bytes]) -> bool:
    return any(needle in content for needle in needles)
