"""The account of every offset."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest

from spark_jobs.checkpoints import BatchPlan
from spark_jobs.ingest_audit import LOST, NEVER_SEEN, NO_MESSAGE, AuditRow, Count, account

NOW = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
PLACE = ("orders", 0)


def accounted(offsets: range, count: Count | None = None, *, is_lost: bool = False) -> list[AuditRow]:
    counts = {} if count is None else {PLACE: count}
    lost = [PLACE] if is_lost else []
    ended = NOW + dt.timedelta(seconds=2.5)
    return list(account(BatchPlan("s-1", {PLACE: offsets}), 7, counts, began=NOW, ended=ended, lost=lost))


def read(first_offset: int) -> Count:
    """Two messages that were read."""
    return Count(first_offset, NOW, bronze_rows=2)


def test_bronze_and_quarantine_make_up_the_range() -> None:
    count = Count(7)
    count.add(7, NOW - dt.timedelta(seconds=30), None, 3)
    count.add(5, NOW - dt.timedelta(seconds=10), "not_json", 2)
    expected = AuditRow(
        "s-1/7", "orders", 0, 5, 9, 3, 2, 0, None, NOW, {"not_json": 2}, NOW - dt.timedelta(seconds=10), 12.5, 2.5
    )
    assert count == Count(5, NOW - dt.timedelta(seconds=10), 3, Counter(not_json=2))
    assert accounted(range(5, 10), count) == [expected]


@pytest.mark.parametrize(
    ("offsets", "first_offset", "is_lost", "missing", "reason"),
    [
        (range(5, 10), 5, False, 3, NO_MESSAGE),
        (range(5, 10), 8, False, 3, NO_MESSAGE),
        (range(5), 3, False, 3, NEVER_SEEN),
        (range(5), 0, False, 3, NO_MESSAGE),
        (range(5), 1, False, 3, f"{NEVER_SEEN}; {NO_MESSAGE}"),
        (range(5, 10), 8, True, 3, LOST),
        (range(5, 10), 7, True, 3, f"{LOST}; {NO_MESSAGE}"),
    ],
)
def test_offsets_without_a_message_have_a_reason(
    offsets: range, first_offset: int, is_lost: bool, missing: int, reason: str
) -> None:
    (row,) = accounted(offsets, read(first_offset), is_lost=is_lost)
    assert (row.missing_offsets, row.missing_reason) == (missing, reason)


def test_a_range_without_any_message_is_accounted_for() -> None:
    nothing: tuple[Any, ...] = ({}, None, None, 2.5)
    assert accounted(range(5, 6)) == [AuditRow("s-1/7", "orders", 0, 5, 5, 0, 0, 1, NO_MESSAGE, NOW, *nothing)]
    assert accounted(range(2)) == [AuditRow("s-1/7", "orders", 0, 0, 1, 0, 0, 2, NEVER_SEEN, NOW, *nothing)]


def test_a_partition_of_which_nothing_was_read_has_no_row() -> None:
    assert accounted(range(5, 5)) == []
