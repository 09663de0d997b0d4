"""How far a stream is, for the run's log."""

import json
from typing import Any

from spark_jobs.checkpoints import TopicPartition, offsets_in


def tell(progress: dict[str, Any]) -> None:
    print(sentence(progress), flush=True)  # noqa: T201 - the run's log


def sentence(progress: dict[str, Any]) -> str:
    """What a batch did, and how much is left.

    Args:
        progress: As Spark reports it after a batch.
    """
    seconds = progress["durationMs"].get("triggerExecution", 0) / 1_000
    rows = messages(progress)
    speed = rows / seconds if seconds else 0.0
    return (
        f"batch {progress['batchId']}: {rows:,} messages in {seconds:.1f} s, {speed:,.0f} a second; "
        f"{sum(map(_behind, progress['sources'])):,} behind"
    )


def messages(progress: dict[str, Any]) -> int:
    """How many a batch took; offsets, where Spark counted no rows."""
    rows: int = progress["numInputRows"]
    return rows or sum(map(_covered, progress["sources"]))


def _covered(source: dict[str, Any]) -> int:
    reached, before = (_offsets(source[name]) for name in ("endOffset", "startOffset"))
    return sum(offset - before.get(place, 0) for place, offset in reached.items())


def _offsets(position: Any) -> dict[TopicPartition, int]:
    return offsets_in((json.loads(position) if isinstance(position, str) else position) or {})


def _behind(source: dict[str, Any]) -> int:
    """Messages that Kafka has besides: Spark gives the average of the partitions."""
    partitions = len(_offsets(source["endOffset"]))
    return round(float(source["metrics"].get("avgOffsetsBehindLatest", 0)) * partitions)
