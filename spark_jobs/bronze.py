"""One batch of Kafka messages to the bronze tables, exactly once."""

import datetime as dt
from contextlib import ExitStack
from dataclasses import dataclass
from functools import reduce

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.checkpoints import BatchPlan, read_batch_plan
from spark_jobs.ingest_audit import Count, account
from spark_jobs.lake import Lake
from spark_jobs.tables import (
    BOOKS_CHANGES,
    CUSTOMERS_CHANGES,
    INGEST_AUDIT,
    ORDER_EVENTS,
    QUARANTINE,
    Table,
    types,
)
from spark_jobs.transforms.changes import BOOK_CHANGES, CUSTOMER_CHANGES, read_changes
from spark_jobs.transforms.order_events import read_order_events

TOPICS: dict[str, Table] = {
    "bookstore.customers": CUSTOMERS_CHANGES,
    "bookstore.books": BOOKS_CHANGES,
    "bookstore.orders": ORDER_EVENTS,
}
"""Where each topic's messages go."""

_CHANGES = {CUSTOMERS_CHANGES: CUSTOMER_CHANGES, BOOKS_CHANGES: BOOK_CHANGES}


@dataclass(frozen=True)
class Bronze:
    """Where messages are kept, and what is asked of them.

    Attributes:
        checkpoint: Folder of the stream's position.
        currency: The only one that orders may have.
    """

    lake: Lake
    checkpoint: str
    currency: str


def write_batch(batch: DataFrame, batch_id: int, *, bronze: Bronze) -> None:
    """Appends each message to its topic's table or to the quarantine, and accounts for every offset.

    Each table remembers the last batch that it took, so a batch that was cut short can be handed over again.

    Args:
        batch: Rows of Spark's Kafka source.
        batch_id: The batch's number within the checkpoint.
        bronze: Where the rows go.
    """
    plan = read_batch_plan(batch.sparkSession, bronze.checkpoint, batch_id)
    now = dt.datetime.now(dt.UTC)
    with ExitStack() as caches:
        # Kafka is read once, and each message parsed once, whatever number of statements follows.
        messages = _cached(_arrived(batch, now), caches)
        read = {topic: _cached(_read(messages, topic, bronze.currency), caches) for topic in plan.topics}
        if read:
            _write(read, plan, Appender(bronze.lake, plan.stream_id, batch_id), now)


@dataclass(frozen=True)
class Appender:
    """Appends to a table once per batch: Delta skips a `txnVersion` that the table has seen of a `txnAppId`.

    Attributes:
        stream_id: Changes with the checkpoint: a new one counts its batches from 0 again, and none must be skipped.
    """

    lake: Lake
    stream_id: str
    batch_id: int

    def __call__(self, table: Table, rows: DataFrame) -> None:
        writer = rows.write.format("delta").mode("append")
        writer = writer.option("txnAppId", self.stream_id).option("txnVersion", self.batch_id)
        writer.save(self.lake.path(table))


def _write(read: dict[str, DataFrame], plan: BatchPlan, append: Appender, now: dt.datetime) -> None:
    """Writes what was read of each topic, and the account of it last."""
    outcomes = reduce(DataFrame.unionByName, (rows.select(*types(QUARANTINE.columns)) for rows in read.values()))
    counts = _count(outcomes)
    for topic, rows in read.items():
        if any(count.bronze_rows for count in counts if count.topic == topic):
            append(TOPICS[topic], rows.where("reason_code IS NULL").drop("reason_code", "reason"))
    if any(count.quarantine_rows for count in counts):
        append(QUARANTINE, outcomes.where("reason_code IS NOT NULL"))
    accounts = list(account(plan, append.batch_id, counts, now))
    append(INGEST_AUDIT, outcomes.sparkSession.createDataFrame(accounts, INGEST_AUDIT.columns))


def _arrived(batch: DataFrame, ingested_at: dt.datetime) -> DataFrame:
    """Of Kafka's columns those that are kept."""
    return batch.select(
        "topic",
        "partition",
        "offset",
        F.col("timestamp").alias("kafka_timestamp"),
        "key",
        "value",
        F.lit(ingested_at).alias("ingested_at"),
    )


def _read(messages: DataFrame, topic: str, currency: str) -> DataFrame:
    of_topic = messages.where(F.col("topic") == topic)
    changes = _CHANGES.get(TOPICS[topic])
    return read_changes(of_topic, changes) if changes else read_order_events(of_topic, currency)


def _count(outcomes: DataFrame) -> list[Count]:
    is_good = F.col("reason_code").isNull()
    counted = outcomes.groupBy("topic", "partition").agg(
        F.min("offset").alias("first_offset"),
        F.count_if(is_good).alias("bronze_rows"),
        F.count_if(~is_good).alias("quarantine_rows"),
    )
    return [Count(*row) for row in counted.collect()]


def _cached(rows: DataFrame, caches: ExitStack) -> DataFrame:
    """Keeps rows until `caches` are closed; serverless compute keeps none, and reads them again each time."""
    try:
        rows.persist()
    except PySparkException as error:
        if error.getCondition() != "NOT_SUPPORTED_WITH_SERVERLESS":
            raise
        return rows
    caches.callback(rows.unpersist)
    return rows
