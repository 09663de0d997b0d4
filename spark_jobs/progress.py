"""How far a stream is, for the run's log."""

import json
from typing import Any


def tell(progress: dict[str, Any]) -> None:
    print(sentence(progress), flush=True)  # noqa: T201 - the run's log


def sentence(progress: dict[str, Any]) -> str:
    """What a batch did, and how much is left.

    Args:
        progress: As Spark reports it after a batch.
    """
    seconds = progress["durationMs"].get("triggerExecution", 0) / 1_000
    rows = progress["numInputRows"]
    speed = rows / seconds if seconds else 0.0
    return (
        f"batch {progress['batchId']}: {rows:,} messages in {seconds:.1f} s, {speed:,.0f} a second; "
        f"{_behind(progress['sources'][0]):,} behind"
    )


def _behind(source: dict[str, Any]) -> int:
    """Messages that Kafka has besides: Spark gives the average of the partitions."""
    reached = source["endOffset"]
    topics = json.loads(reached) if isinstance(reached, str) else reached
    partitions = sum(len(offsets) for offsets in topics.values())
    return round(float(source["metrics"].get("avgOffsetsBehindLatest", 0)) * partitions)
