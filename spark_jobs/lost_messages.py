"""What Kafka no longer has: found out when Spark stumbles over it, and told in the job's own words."""

import json
import re
from collections.abc import Mapping

from pyspark.sql import SparkSession

from spark_jobs.checkpoints import TopicPartition, recreated
from spark_jobs.errors import JobError, LostMessagesError
from spark_jobs.kafka import Kafka
from spark_jobs.topics import TOPICS

_PLACE = rf"(?P<topic>{'|'.join(map(re.escape, TOPICS))})-(?P<partition>\d+)"
# What Spark's Kafka source says, of messages that aged out and of offsets that no longer mean what they meant. Its
# conditions' names don't reach whoever waits for the stream; the words do.
_AGED = re.compile(r"Could not read records in offset|Added partition \S+ starts from")
_RECREATED = re.compile(
    r"RecreatedTopicError|offset was changed from|Partitions .* have been deleted|Cannot find initial offsets"
    r"|but consumer reset to|report available offset which is less|have been lost during running query"
    r"|The resolved start offset"
)

Lost = dict[TopicPartition, range]


def is_aged(message: str) -> bool:
    """Whether a stream's error says that Kafka has deleted what was to be read."""
    return _AGED.search(message) is not None


def is_recreated(message: str) -> bool:
    """Whether a stream's error says that a topic is no longer the one that was read."""
    return _RECREATED.search(message) is not None


def recreation(message: str) -> JobError:
    """The job's own sentence for such an error."""
    found = re.search(r"RecreatedTopicError: (?P<topic>\S+) partition (?P<partition>\d+)", message)
    found = found or re.search(_PLACE, message)
    return recreated(found["topic"], found["partition"]) if found else recreated("a topic's", "?")


def lost_ranges(spark: SparkSession, kafka: Kafka, positions: Mapping[TopicPartition, int], message: str) -> Lost:
    """The offsets from each position to the first message that Kafka still has.

    Args:
        spark: The session.
        kafka: Where the messages are.
        positions: Up to where each partition has been read.
        message: Spark's error, which names a partition.
    """
    named = re.search(_PLACE, message)
    places = {*positions, *([(named["topic"], int(named["partition"]))] if named else [])}
    firsts = {place: _first_offset(spark, kafka, place) for place in sorted(places)}
    ranges = {place: range(positions.get(place, 0), first) for place, first in firsts.items() if first is not None}
    return {place: offsets for place, offsets in ranges.items() if offsets}


def _first_offset(spark: SparkSession, kafka: Kafka, place: TopicPartition) -> int | None:
    topic, partition = place
    options = {**kafka.options(), "assign": json.dumps({topic: [partition]}), "failOnDataLoss": "false"}
    messages = spark.read.format("kafka").options(**options).load()
    first = messages.select("offset").head(1)
    return first[0].offset if first else None


def loss(lost: Lost) -> LostMessagesError:
    ranges = "; ".join(
        f"{topic} partition {partition} offsets {offsets.start} to {offsets.stop - 1}"
        for (topic, partition), offsets in lost.items()
    )
    return LostMessagesError(
        f"every message must be read before Kafka deletes it, and these are gone: {ranges}. "
        f"To go on without them and record the gap in ops.ingest_audit, run once with lost_messages=record"
    )
