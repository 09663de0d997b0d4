"""One batch of Kafka messages to the bronze tables, exactly once."""

import datetime as dt
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.caching import cached
from spark_jobs.checkpoints import BatchPlan, TopicPartition, read_batch_plan
from spark_jobs.forgetting.blanks import screened
from spark_jobs.forgetting.register import read_register
from spark_jobs.ingest_audit import Count, account
from spark_jobs.lake import Lake
from spark_jobs.schema_changes import ADDED, Changes, fields_of, is_news, record_news
from spark_jobs.tables import (
    BOOK_ROW,
    BOOKS_CHANGES,
    CUSTOMER_ROW,
    CUSTOMERS_CHANGES,
    INGEST_AUDIT,
    OFFSET,
    ORDER_EVENTS,
    ORDER_ROW,
    QUARANTINE,
    Table,
    types,
)
from spark_jobs.transforms.changes import BOOK_CHANGES, CUSTOMER_CHANGES, read_changes
from spark_jobs.transforms.new_fields import with_fields
from spark_jobs.transforms.order_events import read_order_events

TOPICS: dict[str, Table] = {
    "bookstore.customers": CUSTOMERS_CHANGES,
    "bookstore.books": BOOKS_CHANGES,
    "bookstore.orders": ORDER_EVENTS,
}
"""Where each topic's messages go."""

FIELDS: dict[str, tuple[str, ...]] = {
    topic: tuple(types(row)) for topic, row in zip(TOPICS, (CUSTOMER_ROW, BOOK_ROW, ORDER_ROW), strict=True)
}
"""What each topic's rows always had."""

_CHANGES = {CUSTOMERS_CHANGES: CUSTOMER_CHANGES, BOOKS_CHANGES: BOOK_CHANGES}


@dataclass(frozen=True)
class Bronze:
    """Where messages are kept, and what is asked of them.

    Attributes:
        checkpoint: Folder of the stream's position.
        currency: The only one that orders may have.
        began_at: Where the checkpoint's first batch began; a partition that isn't named began at 0.
        begin: The same for Spark's Kafka source, which heeds it only while the checkpoint is new.
        lost: Where Kafka had deleted messages that were to be read.
        seen: The schema changes that were recorded when the run began.
    """

    lake: Lake
    checkpoint: str
    currency: str
    began_at: Mapping[TopicPartition, int] = field(default_factory=dict)
    begin: str = "earliest"
    lost: Collection[TopicPartition] = ()
    seen: Changes = frozenset()


def write_batch(batch: DataFrame, batch_id: int, *, bronze: Bronze) -> None:
    """Appends each message to its topic's table or to the quarantine, and accounts for every offset.

    Each table remembers the last batch that it took, so a batch that was cut short can be handed over again.

    Args:
        batch: Rows of Spark's Kafka source.
        batch_id: The batch's number within the checkpoint.
        bronze: Where the rows go.
    """
    plan = read_batch_plan(batch.sparkSession, bronze.checkpoint, batch_id, bronze.began_at)
    write_planned(batch, plan, Appender(bronze.lake, plan.stream_id, batch_id), bronze)


def write_planned(
    batch: DataFrame, plan: BatchPlan, append: "Appender", bronze: Bronze, stored: DataFrame | None = None
) -> None:
    """The same for messages that were planned to be read by whomever.

    Args:
        batch: Rows of Spark's Kafka source.
        plan: The offsets that they cover.
        append: How they are written.
        bronze: Where the rows go.
        stored: Offsets that the tables have already: they count, and are not written again.
    """
    began = dt.datetime.now(dt.UTC)
    with ExitStack() as caches:
        # Kafka is read once, and each message parsed once, whatever number of statements follows.
        messages = _arrived(batch, began)
        if len(plan.topics) > 1:  # of one topic, what is read from the messages is kept below
            messages = cached(messages, caches)
        forgotten = read_register(batch.sparkSession, bronze.lake)
        read = {
            topic: cached(screened(read_messages(messages, topic, bronze.currency), forgotten), caches)
            for topic in plan.topics
        }
        if read:
            outcomes = reduce(DataFrame.unionByName, (_outcomes(read[topic], topic, bronze.seen) for topic in read))
            counts = _count(outcomes)
            news = {topic for (topic, _), count in counts.items() if count.has_news}
            seen = record_news({topic: read[topic] for topic in news}, FIELDS, TOPICS, append) if news else bronze.seen
            good = {topic: _good(rows, topic, seen) for topic, rows in read.items()}
            _write(good, outcomes.drop("is_news"), counts, append, stored)
            ended = dt.datetime.now(dt.UTC)
            accounts = list(account(plan, append.batch_id, counts, began=began, ended=ended, lost=bronze.lost))
            append(INGEST_AUDIT, batch.sparkSession.createDataFrame(accounts, INGEST_AUDIT.columns))


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
        # An older lake has fewer columns, and producers add more.
        writer.option("mergeSchema", "true").save(self.lake.path(table))

    @property
    def batch_name(self) -> str:
        """What tells this batch from all others."""
        return f"{self.stream_id}/{self.batch_id}"


def _write(
    good: dict[str, DataFrame],
    outcomes: DataFrame,
    counts: Mapping[TopicPartition, Count],
    append: Appender,
    stored: DataFrame | None,
) -> None:
    """Writes what was read of each topic, and then what could not be."""
    for topic, rows in good.items():
        if any(count.bronze_rows for (of, _), count in counts.items() if of == topic):
            append(TOPICS[topic], _without(rows, stored))
    if any(count.quarantined for count in counts.values()):
        append(QUARANTINE, _without(outcomes.where("reason_code IS NOT NULL"), stored))


def _good(rows: DataFrame, topic: str, seen: Changes) -> DataFrame:
    """The rows of messages that can be read, with the columns that producers have added."""
    good = rows.where("reason_code IS NULL").drop("reason_code", "reason")
    return with_fields(good, fields_of(topic, seen, ADDED))


def _without(rows: DataFrame, stored: DataFrame | None) -> DataFrame:
    return rows if stored is None else rows.join(stored, list(OFFSET), "left_anti")


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


def read_messages(messages: DataFrame, topic: str, currency: str) -> DataFrame:
    """What is read of one topic's messages, with `reason_code` and `reason` where they can't be, and `others`."""
    of_topic = messages.where(F.col("topic") == topic)
    changes = _CHANGES.get(TOPICS[topic])
    return read_changes(of_topic, changes) if changes else read_order_events(of_topic, currency)


def _outcomes(rows: DataFrame, topic: str, seen: Changes) -> DataFrame:
    """The columns of quarantine, and whether there is something new in the message."""
    return rows.select(*types(QUARANTINE.columns), is_news(FIELDS[topic], topic, seen).alias("is_news"))


def _count(outcomes: DataFrame) -> dict[TopicPartition, Count]:
    counted = outcomes.groupBy("topic", "partition", "reason_code").agg(
        F.min("offset").alias("first_offset"),
        F.unix_millis(F.max("kafka_timestamp")).alias("newest_ms"),
        F.count("*").alias("messages"),
        F.bool_or("is_news").alias("has_news"),
    )
    counts: dict[TopicPartition, Count] = {}
    for row in counted.collect():
        count = counts.setdefault((row.topic, row.partition), Count(row.first_offset))
        newest_at = dt.datetime.fromtimestamp(row.newest_ms / 1_000, dt.UTC)
        count.add(row.first_offset, newest_at, row.reason_code, row.messages)
        count.has_news |= row.has_news
    return counts
