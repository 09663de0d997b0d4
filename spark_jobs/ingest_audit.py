"""The account of every offset: in bronze, in quarantine, or without a message and why."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from spark_jobs.checkpoints import BatchPlan, TopicPartition

NEVER_SEEN = "retention: deleted in Kafka before the first ingest"
LOST = "retention: deleted in Kafka before they were read"
NO_MESSAGE = "transaction markers, aborted transactions or compaction"


@dataclass
class Count:
    """What a batch brought from one topic-partition.

    Attributes:
        first_offset: Of the first message.
        newest_at: Kafka's time of the newest message.
        bronze_rows: Messages that could be read.
        quarantined: Messages that could not, by reason code.
        has_news: Whether a message has a schema change that isn't recorded.
    """

    first_offset: int
    newest_at: dt.datetime | None = None
    bronze_rows: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    has_news: bool = False

    def add(self, first_offset: int, newest_at: dt.datetime, reason_code: str | None, messages: int) -> None:
        """Adds the messages of one verdict."""
        self.first_offset = min(self.first_offset, first_offset)
        self.newest_at = max(self.newest_at or newest_at, newest_at)
        if reason_code is None:
            self.bronze_rows += messages
        else:
            self.quarantined[reason_code] += messages


class AuditRow(NamedTuple):
    """A row of `ops.ingest_audit`."""

    batch_id: str
    topic: str
    partition: int
    first_offset: int | None
    last_offset: int | None
    bronze_rows: int
    quarantine_rows: int
    missing_offsets: int
    missing_reason: str | None
    written_at: dt.datetime
    quarantined: dict[str, int]
    newest_at: dt.datetime | None
    lag_seconds: float | None
    duration_seconds: float


def account(
    plan: BatchPlan,
    batch_id: int,
    counts: Mapping[TopicPartition, Count],
    *,
    began: dt.datetime,
    ended: dt.datetime,
    lost: Collection[TopicPartition] = (),
) -> Iterator[AuditRow]:
    """One row for each topic-partition of which the batch covers any offset.

    Args:
        plan: What was to be read.
        batch_id: The batch's number.
        counts: What was read.
        began: When the batch began.
        ended: When all of it was written.
        lost: Where Kafka had deleted messages that were to be read.
    """
    for place, offsets in sorted(plan.offsets.items(), key=lambda item: item[0]):
        if offsets:
            count = counts.get(place, Count(offsets.stop))
            quarantine_rows = count.quarantined.total()
            missing = len(offsets) - count.bronze_rows - quarantine_rows
            reason = _reason(missing, offsets, count, is_lost=place in lost)
            yield AuditRow(
                f"{plan.stream_id}/{batch_id}", *place, offsets.start, offsets.stop - 1,
                count.bronze_rows, quarantine_rows, missing, reason, began, dict(count.quarantined),
                count.newest_at, _seconds(count.newest_at, ended), _seconds(began, ended) or 0.0,
            )  # fmt: skip


def _reason(missing: int, offsets: range, count: Count, *, is_lost: bool) -> str | None:
    """Kafka itself doesn't say why an offset has no message; where it is missing narrows it down."""
    is_retention = is_lost or offsets.start == 0
    before_first = count.first_offset - offsets.start if is_retention else 0
    reasons = [LOST if is_lost else NEVER_SEEN] if before_first else []
    if missing > before_first:
        reasons.append(NO_MESSAGE)
    return "; ".join(reasons) or None


def _seconds(start: dt.datetime | None, end: dt.datetime) -> float | None:
    return None if start is None else round((end - start).total_seconds(), 3)
