"""The account of every offset."""

import datetime as dt

import pytest

from spark_jobs.checkpoints import BatchPlan
from spark_jobs.ingest_audit import NEVER_SEEN, NO_MESSAGE, AuditRow, Count, account

NOW = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)


def accounted(offsets: range, *counts: Count) -> list[AuditRow]:
    return list(account(BatchPlan("s-1", {("orders", 0): offsets}), 7, counts, NOW))


def test_bronze_and_quarantine_make_up_the_range() -> None:
    rows = accounted(range(5, 10), Count("orders", 0, 5, 3, 2))
    assert rows == [AuditRow("s-1/7", "orders", 0, 5, 9, 3, 2, 0, None, NOW)]


@pytest.mark.parametrize(
    ("offsets", "first_offset", "missing", "reason"),
    [
        (range(5, 10), 5, 3, NO_MESSAGE),
        (range(5, 10), 8, 3, NO_MESSAGE),
        (range(5), 3, 3, NEVER_SEEN),
        (range(5), 0, 3, NO_MESSAGE),
        (range(5), 1, 3, f"{NEVER_SEEN}; {NO_MESSAGE}"),
    ],
)
def test_offsets_without_a_message_have_a_reason(offsets: range, first_offset: int, missing: int, reason: str) -> None:
    (row,) = accounted(offsets, Count("orders", 0, first_offset, 2, 0))
    assert (row.missing_offsets, row.missing_reason) == (missing, reason)


def test_a_range_without_any_message_is_accounted_for() -> None:
    assert accounted(range(5, 6)) == [AuditRow("s-1/7", "orders", 0, 5, 5, 0, 0, 1, NO_MESSAGE, NOW)]
    assert accounted(range(2)) == [AuditRow("s-1/7", "orders", 0, 0, 1, 0, 0, 2, NEVER_SEEN, NOW)]


def test_a_partition_of_which_nothing_was_read_has_no_row() -> None:
    assert accounted(range(5, 5)) == []
