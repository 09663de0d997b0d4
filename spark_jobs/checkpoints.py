"""What a stream's checkpoint says about a batch of Kafka messages."""

import json
from dataclasses import dataclass

from pyspark.sql import SparkSession

TopicPartition = tuple[str, int]


@dataclass(frozen=True)
class BatchPlan:
    """A batch as it was planned, before anything of it was read.

    Attributes:
        stream_id: The checkpoint's own id. A new checkpoint has another, and counts its batches from 0 again.
        offsets: Of each topic-partition, the offsets that the batch covers.
    """

    stream_id: str
    offsets: dict[TopicPartition, range]

    @property
    def topics(self) -> list[str]:
        """Those of which the batch covers any offset."""
        return sorted({topic for (topic, _), offsets in self.offsets.items() if offsets})


def read_batch_plan(spark: SparkSession, checkpoint: str, batch_id: int) -> BatchPlan:
    """Reads from the checkpoint what Spark planned to read from Kafka.

    The messages alone don't say it: a batch can begin or end with offsets that have no message, e.g. those of
    transaction markers.
    """
    batches = [batch_id - 1, batch_id] if batch_id else [batch_id]
    paths = [f"{checkpoint}/metadata", *[f"{checkpoint}/offsets/{batch}" for batch in batches]]
    files = spark.read.text(paths, wholetext=True).select("_metadata.file_name", "value").collect()
    texts = {file.file_name: file.value for file in files}
    starts = _positions(texts[str(batch_id - 1)]) if batch_id else {}
    ends = _positions(texts[str(batch_id)])
    offsets = {place: range(starts.get(place, 0), end) for place, end in ends.items()}
    return BatchPlan(stream_id=json.loads(texts["metadata"])["id"], offsets=offsets)


def _positions(log: str) -> dict[TopicPartition, int]:
    """The first offset after a batch; the log's last line is the Kafka source's, the only one that the stream has."""
    topics: dict[str, dict[str, int]] = json.loads(log.splitlines()[-1])
    return {(topic, int(number)): offset for topic, numbers in topics.items() for number, offset in numbers.items()}
