"""What is forgotten, what that gives up, and what happens beside a call."""

import datetime as dt
from typing import Any, Literal

import pytest
from pyspark.sql import SparkSession

from spark_jobs.auto_cdc import (
    TargetError,
    TiedEventsWarning,
    apply_changes,
    companion_name,
    forget_events,
    maintenance,
)
from spark_jobs.auto_cdc.properties import habits_of

_SCHEMA = "id int, at int, name string, note string, op string"
_LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
"""Events that were logged before this are all that there are."""
Change = tuple[int | None, int, str | None, str | None, str]


def _apply(spark: SparkSession, target: str, scd_type: Literal[1, 2], *changes: Change, **options: Any) -> None:
    apply_changes(
        spark,
        target=target,
        source=spark.createDataFrame(changes, _SCHEMA),
        keys=["id"],
        sequence_by="at",
        apply_as_deletes="op = 'd'",
        apply_as_truncates="op = 't'" if scd_type == 1 else None,
        except_column_list=["at", "op"],
        stored_as_scd_type=scd_type,
        **options,
    )


def _rows(spark: SparkSession, target: str) -> list[tuple[Any, ...]]:
    return sorted(map(tuple, spark.table(target).collect()), key=str)


def _remembered(spark: SparkSession, target: str) -> list[tuple[Any, ...]]:
    memory = spark.table(companion_name(target)).selectExpr(
        "__KEY.id", "__SEQUENCE", "__DELETE", "__ROW.name", "__PART"
    )
    return sorted(map(tuple, memory.collect()), key=str)


def test_type_1_keeps_one_event_of_each_key_and_deletes_until_they_are_old(spark: SparkSession, target: str) -> None:
    _apply(spark, target, 1, (1, 10, "a", None, "u"), (2, 10, "a", None, "u"), (3, 10, "a", None, "u"))
    _apply(spark, target, 1, (1, 20, "b", None, "u"), (2, 20, None, None, "d"), (None, 5, None, None, "t"))
    _apply(spark, target, 1, (1, 15, "late", None, "u"), (4, 4, "void", None, "u"))
    shown = _rows(spark, target)
    assert shown == [(1, "b", None), (3, "a", None)]

    forget_events(spark, target=target)
    latest = [(1, 20, False, "b", "remembered"), (2, 20, True, None, "remembered"), (3, 10, False, "a", "remembered")]
    assert _remembered(spark, target) == [*latest, (None, 5, False, None, "truncates")]

    forget_events(spark, target=target, logged_before=_LATER)
    assert _remembered(spark, target) == [latest[0], latest[2], (None, 5, False, None, "truncates")]
    assert _rows(spark, target) == shown

    # In time, or later than an event that is shown; what comes before a forgotten delete is what was given up.
    _apply(spark, target, 1, (1, 19, "late", None, "u"), (3, 11, "b", None, "u"), (2, 19, "back", None, "u"))
    assert _rows(spark, target) == [(1, "b", None), (2, "back", None), (3, "b", None)]


@pytest.mark.full
def test_with_ignored_nulls_old_events_become_one(spark: SparkSession, target: str) -> None:
    _apply(spark, target, 1, (1, 10, "a", None, "u"), (1, 20, None, "x", "u"), ignore_null_updates=True)
    _apply(spark, target, 1, (2, 10, "a", "y", "u"), (2, 20, None, None, "d"), ignore_null_updates=True)

    forget_events(spark, target=target, logged_before=_LATER)

    assert _remembered(spark, target) == [(1, 20, False, "a", "remembered")]
    _apply(spark, target, 1, (1, 30, "b", None, "u"), (2, 30, None, "z", "u"), ignore_null_updates=True)
    assert _rows(spark, target) == [(1, "b", "x"), (2, None, "z")]


@pytest.mark.full
def test_nothing_that_is_needed_is_lost_when_a_call_ignores_nulls_for_the_first_time(
    spark: SparkSession, target: str
) -> None:
    _apply(spark, target, 1, (1, 10, "a", "x", "u"))
    _apply(spark, target, 1, (1, 20, "b", None, "u"), ignore_null_updates=True)

    forget_events(spark, target=target)
    _apply(spark, target, 1, (1, 15, None, "y", "u"), ignore_null_updates=True)

    assert _rows(spark, target) == [(1, "b", "y")]


@pytest.mark.full
def test_type_2_forgets_what_is_old(spark: SparkSession, target: str) -> None:
    _apply(spark, target, 2, (1, 10, "a", None, "u"), (1, 20, "a", None, "u"), (2, 20, None, None, "d"))
    assert len(_remembered(spark, target)) == 3

    forget_events(spark, target=target)
    assert len(_remembered(spark, target)) == 3
    forget_events(spark, target=target, logged_before=_LATER)
    assert _remembered(spark, target) == []

    _apply(spark, target, 2, (1, 30, "b", None, "u"), (2, 30, "b", None, "u"))
    assert _rows(spark, target) == [(1, "a", None, 10, 30), (1, "b", None, 30, None), (2, "b", None, 30, None)]


@pytest.mark.full
@pytest.mark.filterwarnings(f"ignore::{TiedEventsWarning.__module__}.{TiedEventsWarning.__name__}")
def test_type_2_with_untracked_columns_keeps_the_last_event_of_each_key(spark: SparkSession, target: str) -> None:
    tracked = {"track_history_column_list": ["name"]}
    _apply(spark, target, 2, (1, 10, "a", "x", "u"), (1, 20, "a", "y", "u"), (2, 5, None, None, "d"), **tracked)
    _apply(spark, target, 2, (3, 5, "lost to the delete", "x", "u"), (3, 5, None, None, "d"), **tracked)

    forget_events(spark, target=target, logged_before=_LATER)
    assert _remembered(spark, target) == [(1, 20, False, "a", "remembered")]

    _apply(spark, target, 2, (1, 40, "a", "z", "u"), (3, 40, "c", "z", "u"), **tracked)
    _apply(spark, target, 2, (1, 30, "b", "z", "u"), **tracked)
    versions = [(1, "a", "y", 10, 30), (1, "a", "z", 40, None), (1, "b", "z", 30, 40), (3, "c", "z", 40, None)]
    assert _rows(spark, target) == versions


@pytest.mark.full
@pytest.mark.parametrize("scd_type", [1, 2])
def test_a_call_beside_it_loses_nothing(
    spark: SparkSession, target: str, monkeypatch: pytest.MonkeyPatch, scd_type: Literal[1, 2]
) -> None:
    _apply(spark, target, scd_type, (1, 10, "a", None, "u"), (2, 30, None, None, "d"))
    calls = iter([None, lambda: _apply(spark, target, scd_type, (3, 30, None, None, "d"), (1, 20, "a", None, "u"))])

    def habits_while_a_call_is_made(found: Any) -> Any:
        if call := next(calls, None):
            call()
        return habits_of(found)

    monkeypatch.setattr(maintenance, "habits_of", habits_while_a_call_is_made)
    forget_events(spark, target=target)

    _apply(spark, target, scd_type, (3, 20, "late", None, "u"), (2, 20, "late", None, "u"), (1, 15, "b", None, "u"))
    versions = [(1, "a", None, 10, 15), (1, "a", None, 20, None), (1, "b", None, 15, 20)]
    versions += [(2, "late", None, 20, 30), (3, "late", None, 20, 30)]
    assert _rows(spark, target) == ([(1, "a", None)] if scd_type == 1 else versions)


def test_a_table_that_no_call_has_written_is_refused(spark: SparkSession, target: str) -> None:
    with pytest.raises(TargetError, match="must have been written by apply_changes: found no such table"):
        forget_events(spark, target=target)
    spark.sql(f"CREATE TABLE {target} (id int) USING delta")
    with pytest.raises(TargetError, match=r"written by apply_changes: found a table without auto_cdc\.id"):
        forget_events(spark, target=target)
