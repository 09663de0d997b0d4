"""A stream whose checkpoint is gone: where it was, from what the tables hold."""

import hashlib
import json
import re
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.bronze import Appender, Bronze, write_planned
from spark_jobs.checkpoints import BatchPlan, TopicPartition, recreated
from spark_jobs.kafka import Kafka, as_arrived, offsets_json
from spark_jobs.tables import OFFSET, QUARANTINE
from spark_jobs.topics import TOPICS, read_topics

Positions = dict[TopicPartition, int]


_EARLIEST = -2


def recover(spark: SparkSession, kafka: Kafka, bronze: Bronze, currency: str) -> Positions:
    """Completes the batch that was under way when the checkpoint went, and returns where to go on.

    A batch writes the account last: rows behind what is accounted for are those of a batch that was cut short. Its
    messages are read again, and those that the tables lack are written. Cut short itself, it can be repeated.

    Args:
        spark: The session.
        kafka: Where the messages are.
        bronze: Where messages are kept; `began_at` is up to where they are accounted for.
        currency: The only one that orders may have.
    """
    audited = dict(bronze.began_at)
    stored = _stored_beyond(spark, bronze, audited)
    rows = stored.groupBy("topic", "partition").agg((F.max("offset") + 1).alias("end")).collect()
    ends = {(row.topic, row.partition): row.end for row in rows}
    if ends:
        plan = _plan({place: range(audited.get(place, 0), end) for place, end in ends.items()})
        messages = {topic: _messages(spark, kafka, topic, plan) for topic in plan.topics}
        write_planned(read_topics(messages, currency), plan, Appender(bronze.lake, plan.stream_id, 0), bronze, stored)
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


def _messages(spark: SparkSession, kafka: Kafka, topic: str, plan: BatchPlan) -> DataFrame:
    """Those of one topic that were planned to be read."""
    planned = {place: offsets for place, offsets in plan.offsets.items() if place[0] == topic}
    options = {
        **kafka.options(),
        "assign": json.dumps({topic: [partition for _, partition in planned]}),
        "startingOffsets": offsets_json({place: offsets.start for place, offsets in planned.items()}),
        "endingOffsets": offsets_json({place: offsets.stop for place, offsets in planned.items()}),
        "failOnDataLoss": "false",  # what is gone is accounted for as such
    }
    return as_arrived(spark.read.format("kafka").options(**options).load())


def starting_offsets(spark: SparkSession, kafka: Kafka, positions: Positions) -> Positions:
    """The positions with those of partitions that are new, which begin at their first message.

    Spark's Kafka source wants every partition named.

    Raises:
        RecreatedTopicError: A partition that was read no longer exists.
    """
    options = {
        **kafka.options(),
        "subscribe": ",".join(TOPICS),
        "startingOffsets": offsets_json(positions),
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
        return dict.fromkeys(sorted(partitions), _EARLIEST) | positions
    return positions
