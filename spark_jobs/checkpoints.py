"""What a stream's checkpoint says about a batch of Kafka messages."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from spark_jobs.errors import RecreatedTopicError

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


def has_begun(spark: SparkSession, checkpoint: str) -> bool:
    """Whether the checkpoint says where its stream began: from then on nothing else does."""
    try:
        # Asking for the schema is what looks for the file, and runs no job.
        spark.read.text(f"{checkpoint}/sources/0/0").schema  # noqa: B018
    except AnalysisException as error:
        if error.getCondition() == "PATH_NOT_FOUND":
            return False
        raise
    return True


def read_batch_plan(
    spark: SparkSession, checkpoint: str, batch_id: int, began_at: Mapping[TopicPartition, int]
) -> BatchPlan:
    """Reads from the checkpoint what Spark planned to read from Kafka.

    The messages alone don't say it: a batch can begin or end with offsets that have no message, e.g. those of
    transaction markers.

    Args:
        spark: The session.
        checkpoint: Its folder.
        batch_id: The batch's number.
        began_at: Where the checkpoint's first batch began; a partition that isn't named began at 0.

    Raises:
        RecreatedTopicError: A partition ends before the position that was reached.
    """
    batches = [batch_id - 1, batch_id] if batch_id else [batch_id]
    paths = [f"{checkpoint}/metadata", *[f"{checkpoint}/offsets/{batch}" for batch in batches]]
    files = spark.read.text(paths, wholetext=True).select("_metadata.file_name", "value").collect()
    texts = {file.file_name: file.value for file in files}
    starts = _positions(texts[str(batch_id - 1)]) if batch_id else began_at
    ends = _positions(texts[str(batch_id)])
    for (topic, partition), start in starts.items():
        if ends.get((topic, partition), 0) < start:
            raise recreated(topic, partition)
    offsets = {place: range(starts.get(place, 0), end) for place, end in ends.items()}
    return BatchPlan(stream_id=json.loads(texts["metadata"])["id"], offsets=offsets)


def recreated(topic: str, partition: int | str) -> RecreatedTopicError:
    return RecreatedTopicError(
        f"{topic} partition {partition} must have the offsets that were read of it, and Kafka no longer knows them: "
        f"the topic was deleted or made anew. Its new messages would repeat the offsets of those in bronze: send them "
        f"to the topic as it was, or ingest them into a lake of their own"
    )


def _positions(log: str) -> dict[TopicPartition, int]:
    """The first offset after a batch: behind the log's two lines of its own, each topic's source has one."""
    sources = [offsets_in(json.loads(source)) for source in log.splitlines()[2:]]
    return {place: offset for source in sources for place, offset in source.items()}


def offsets_in(topics: Mapping[str, Mapping[str, int]]) -> dict[TopicPartition, int]:
    """Offsets as Spark's Kafka source writes them: by topic, and by the partition's number as text."""
    return {(topic, int(number)): offset for topic, numbers in topics.items() for number, offset in numbers.items()}
