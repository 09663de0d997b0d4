"""What people put in the place of messages that can't be read, and the account of messages that left quarantine."""

import datetime as dt

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.ingest_audit import AuditRow
from spark_jobs.lake import Lake
from spark_jobs.tables import INGEST_AUDIT, OFFSET, QUARANTINE

MOVED = ("reason_code", "reason")


def repaired(messages: DataFrame, repairs: DataFrame) -> DataFrame:
    """The messages, each with the latest repair of its key and value where there is one.

    Args:
        messages: As they arrived.
        repairs: Rows of `bronze.repairs`. A key or value that is null there stays as it arrived.
    """
    latest = repairs.groupBy(*OFFSET).agg(
        F.max_by("key", "repaired_at").alias("new_key"), F.max_by("value", "repaired_at").alias("new_value")
    )
    joined = messages.join(latest, list(OFFSET), "left")
    both = {name: F.coalesce(f"new_{name}", name) for name in ("key", "value")}
    return joined.withColumns(both).select(*messages.columns)


def record_moves(spark: SparkSession, lake: Lake, now: dt.datetime) -> None:
    """Accounts for messages that have left quarantine for bronze.

    Compares quarantine with what is accounted for, so that a move whose account was cut short is made up for. Only up
    to where batches are complete: an ingest that runs meanwhile has its own account to write.
    """
    audit = lake.read(spark, INGEST_AUDIT).groupBy("topic", "partition")
    accounts = audit.agg(F.max("last_offset").alias("last"), F.sum("quarantine_rows").alias("expected"))
    # Collected first: what is read of quarantine afterwards has every row that is accounted for.
    rows = accounts.collect()
    if not rows:
        return
    expected = spark.createDataFrame(rows, accounts.schema)
    quarantine = lake.read(spark, QUARANTINE).join(F.broadcast(expected), ["topic", "partition"])
    found = quarantine.where("offset <= last").groupBy("topic", "partition").count().collect()
    counts = {(row.topic, row.partition): row["count"] for row in found}
    moves = [
        _move(row.topic, row.partition, row.expected - counts.get((row.topic, row.partition), 0), now) for row in rows
    ]
    moves = [move for move in moves if move.bronze_rows]
    if moves:
        accounted = spark.createDataFrame(moves, INGEST_AUDIT.columns)
        accounted.write.format("delta").mode("append").option("mergeSchema", "true").save(lake.path(INGEST_AUDIT))


def _move(topic: str, partition: int, messages: int, now: dt.datetime) -> AuditRow:
    """So many messages are in bronze and no longer in quarantine; no offset is new."""
    batch_id = f"replay_quarantine/{now:%Y-%m-%dT%H:%M:%S.%f}"
    return AuditRow(batch_id, topic, partition, None, None, messages, -messages, 0, None, now, {}, None, None, 0.0)
