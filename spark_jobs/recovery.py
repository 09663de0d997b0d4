"""A stream whose checkpoint is gone: where it was, from what the tables hold."""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.bronze import TOPICS, Appender, Bronze, write_planned
from spark_jobs.checkpoints import BatchPlan, TopicPartition, recreated
from spark_jobs.kafka import Kafka
from spark_jobs.tables import OFFSET, QUARANTINE

Positions = dict[TopicPartition, int]


_EARLIEST = -2


def recover(spark: SparkSession, kafka: Kafka, bronze: Bronze) -> Positions:
    """Completes the batch that was under way when the checkpoint went, and returns where to go on.

    A batch writes the account last: rows behind what is accounted for are those of a batch that was cut short. Its
    messages are read again, and those that the tables lack are written. Cut short itself, it can be repeated.

    Args:
        spark: The session.
        kafka: Where the messages are.
        bronze: Where messages are kept; `began_at` is up to where they are accounted for.
    """
    audited = dict(bronze.began_at)
    stored = _stored_beyond(spark, bronze, audited)
    rows = stored.groupBy("topic", "partition").agg((F.max("offset") + 1).alias("end")).collect()
    ends = {(row.topic, row.partition): row.end for row in rows}
    if ends:
        plan = _plan({place: range(audited.get(place, 0), end) for place, end in ends.items()})
        messages = _messages(spark, kafka, plan)
        write_planned(messages, plan, Appender(bronze.lake, plan.stream_id, 0), bronze, stored)
    return {**audited, **ends}


def _stored_beyond(spark: SparkSession, bronze: Bronze, audited: Positions) -> DataFrame:
    """Offsets of rows that no account mentions."""
    tables = [bronze.lake.read(spark, table).select(*OFFSET) for table in (*TOPICS.values(), QUARANTINE)]
    position = reduce(
        lambda otherwise, place: F.when(
            (F.col("topic") == place[0]) & (F.col("partition") == place[1]), audited[place]
        ).otherwise(otherwise),
        audited,
        F.lit(0),
    )
    return reduce(DataFrame.unionAll, tables).where(F.col("offset") >= position)


def _plan(offsets: dict[TopicPartition, range]) -> BatchPlan:
    # The same for the same offsets: repeated, it is the same batch.
    digest = hashlib.sha256(repr(sorted(offsets.items(), key=lambda item: item[0])).encode()).hexdigest()
    return BatchPlan(f"recovery-{digest[:12]}", offsets)


def _messages(spark: SparkSession, kafka: Kafka, plan: BatchPlan) -> DataFrame:
    starts = {place: offsets.start for place, offsets in plan.offsets.items()}
    ends = {place: offsets.stop for place, offsets in plan.offsets.items()}
    partitions = {topic: [number for of, number in ends if of == topic] for topic, _ in ends}
    options = {
        **kafka.options(),
        "assign": json.dumps(partitions),
        "startingOffsets": offsets_json(starts),
        "endingOffsets": offsets_json(ends),
        "failOnDataLoss": "false",  # what is gone is accounted for as such
    }
    return spark.read.format("kafka").options(**options).load()


def starting_offsets(spark: SparkSession, kafka: Kafka, positions: Positions) -> str:
    """Positions for Spark's Kafka source, which wants every partition named: a new one begins at its first message.

    Raises:
        RecreatedTopicError: A partition that was read no longer exists.
    """
    begin = offsets_json(positions)
    options = {
        **kafka.options(),
        "subscribe": ",".join(TOPICS),
        "startingOffsets": begin,
        "failOnDataLoss": "false",
    }
    try:
        spark.read.format("kafka").options(**options).load().head(1)
    except Exception as error:  # classic Spark's and Spark Connect's are of different families
        if "don't match what are assigned" not in str(error):
            raise
        assigned = re.findall(r"([\w.]+)-(\d+)", str(error).partition("Assigned:")[2])
        partitions = {(topic, int(number)) for topic, number in assigned}
        for gone in sorted({*positions} - partitions):
            raise recreated(*gone) from error
        return offsets_json(dict.fromkeys(sorted(partitions), _EARLIEST) | positions)
    return begin


def offsets_json(positions: Mapping[TopicPartition, int]) -> str:
    """Positions as Spark's Kafka source takes them."""
    topics: dict[str, dict[str, int]] = {}
    for (topic, partition), offset in positions.items():
        topics.setdefault(topic, {})[str(partition)] = offset
    return json.dumps(topics)
