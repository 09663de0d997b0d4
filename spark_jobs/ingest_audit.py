"""The account of every offset: in bronze, in quarantine, or without a message and why."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from spark_jobs.checkpoints import BatchPlan

NEVER_SEEN = "retention: deleted in Kafka before the first ingest"
NO_MESSAGE = "transaction markers, aborted transactions or compaction"


class Count(NamedTuple):
    """What a batch brought from one topic-partition.

    Attributes:
        first_offset: Of the first message.
        bronze_rows: Messages that could be read.
        quarantine_rows: Messages that could not.
    """

    topic: str
    partition: int
    first_offset: int
    bronze_rows: int
    quarantine_rows: int


class AuditRow(NamedTuple):
    """A row of `ops.ingest_audit`."""

    batch_id: str
    topic: str
    partition: int
    first_offset: int
    last_offset: int
    bronze_rows: int
    quarantine_rows: int
    missing_offsets: int
    missing_reason: str | None
    written_at: dt.datetime


def account(plan: BatchPlan, batch_id: int, counts: Iterable[Count], written_at: dt.datetime) -> Iterator[AuditRow]:
    """One row for each topic-partition of which the batch covers any offset."""
    counted = {(count.topic, count.partition): count for count in counts}
    for place, offsets in sorted(plan.offsets.items(), key=lambda item: item[0]):
        if offsets:
            count = counted.get(place, Count(*place, offsets.stop, 0, 0))
            missing = len(offsets) - count.bronze_rows - count.quarantine_rows
            yield AuditRow(
                f"{plan.stream_id}/{batch_id}", *place, offsets.start, offsets.stop - 1,
                count.bronze_rows, count.quarantine_rows, missing, _reason(missing, offsets, count), written_at,
            )  # fmt: skip


def _reason(missing: int, offsets: range, count: Count) -> str | None:
    """Kafka itself doesn't say why an offset has no message; where it is missing narrows it down."""
    before_first = count.first_offset if offsets.start == 0 else 0
    reasons = [NEVER_SEEN] if before_first else []
    if missing > before_first:
        reasons.append(NO_MESSAGE)
    return "; ".join(reasons) or None
