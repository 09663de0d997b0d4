"""One batch of Kafka messages to the bronze tables, exactly once."""

import datetime as dt
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.caching import cached
from spark_jobs.checkpoints import BatchPlan, TopicPartition, read_batch_plan
from spark_jobs.forgetting.blanks import screened
from spark_jobs.forgetting.register import read_register
from spark_jobs.ingest_audit import Count, account
from spark_jobs.lake import Lake
from spark_jobs.schema_changes import ADDED, Changes, fields_of, is_news, record_news
from spark_jobs.tables import INGEST_AUDIT, OFFSET, QUARANTINE, Table, types
from spark_jobs.topics import FIELDS, TOPICS, rows_of
from spark_jobs.transforms.new_fields import with_fields


@dataclass(frozen=True)
class Bronze:
    """Where messages are kept, and what is asked of them.

    Attributes:
        checkpoint: Folder of the stream's position.
        began_at: Where the checkpoint's first batch began; a partition that isn't named began at 0.
        lost: Where Kafka had deleted messages that were to be read.
        seen: The schema changes that were recorded when the run began.
    """

    lake: Lake
    checkpoint: str
    began_at: Mapping[TopicPartition, int] = field(default_factory=dict)
    lost: Collection[TopicPartition] = ()
    seen: Changes = frozenset()


def write_batch(batch: DataFrame, batch_id: int, *, bronze: Bronze) -> None:
    """Appends each message to its topic's table or to the quarantine, and accounts for every offset.

    Each table remembers the last batch that it took, so a batch that was cut short can be handed over again.

    Args:
        batch: What `read_topics` gives.
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
        batch: What `read_topics` gives.
        plan: The offsets that it covers.
        append: How they are written.
        bronze: Where the rows go.
        stored: Offsets that the tables have already: they count, and are not written again.
    """
    if not plan.topics:
        return
    began = dt.datetime.now(dt.UTC)
    with ExitStack() as caches:
        # Kafka is read once, and each message parsed once, whatever number of statements follows.
        read = cached(screened(batch, read_register(batch.sparkSession, bronze.lake)), caches)
        counts = _count(read, bronze.seen)
        news = {topic: rows_of(read, topic) for (topic, _), count in counts.items() if count.has_news}
        seen = record_news(news, FIELDS, TOPICS, append) if news else bronze.seen
        _write(read, counts, seen, append, stored)
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
    read: DataFrame,
    counts: Mapping[TopicPartition, Count],
    seen: Changes,
    append: Appender,
    stored: DataFrame | None,
) -> None:
    """Writes what was read of each topic, and then what could not be."""
    for topic in sorted({topic for (topic, _), count in counts.items() if count.bronze_rows}):
        append(TOPICS[topic], _without(readable_rows(read, topic, seen), stored))
    if any(count.quarantined for count in counts.values()):
        unreadable = read.where("reason_code IS NOT NULL").select(*types(QUARANTINE.columns))
        append(QUARANTINE, _without(unreadable, stored))


def readable_rows(read: DataFrame, topic: str, seen: Changes) -> DataFrame:
    """One topic's rows of messages that can be read, flat, with the columns that producers have added."""
    readable = rows_of(read, topic).where("reason_code IS NULL").drop("reason_code", "reason")
    return with_fields(readable, fields_of(topic, seen, ADDED))


def _without(rows: DataFrame, stored: DataFrame | None) -> DataFrame:
    return rows if stored is None else rows.join(stored, list(OFFSET), "left_anti")


def _count(read: DataFrame, seen: Changes) -> dict[TopicPartition, Count]:
    """What came of each topic-partition, and whether anything in it is new."""
    news_of_topics = [F.when(F.col("topic") == topic, is_news(row, topic, seen)) for topic, row in FIELDS.items()]
    counted = read.groupBy("topic", "partition", "reason_code").agg(
        F.min("offset").alias("first_offset"),
        F.unix_millis(F.max("kafka_timestamp")).alias("newest_ms"),
        F.count("*").alias("messages"),
        F.bool_or(F.coalesce(*news_of_topics)).alias("has_news"),
    )
    counts: dict[TopicPartition, Count] = {}
    for row in counted.collect():
        count = counts.setdefault((row.topic, row.partition), Count(row.first_offset))
        newest_at = dt.datetime.fromtimestamp(row.newest_ms / 1_000, dt.UTC)
        count.add(row.first_offset, newest_at, row.reason_code, row.messages)
        count.has_news |= row.has_news
    return counts
