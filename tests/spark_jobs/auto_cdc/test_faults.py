"""Calls that are killed between two of their writes, and calls that get in each other's way."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import pytest
from pyspark.sql import SparkSession

from spark_jobs.auto_cdc import ConcurrentCallError, apply_changes, flow, scd1, scd2
from tests.spark_jobs.auto_cdc.model import Event, Row, type_1, type_2

pytestmark = pytest.mark.full

_SCHEMA = "id int, at int, name string, deletes boolean"
Change = tuple[int, int, str | None]
_BEFORE: list[Change] = [(1, 10, "a"), (2, 10, "a"), (3, 10, "a"), (4, 20, None)]
_KILLED: list[Change] = [
    (1, 20, "b"),
    (2, 5, "a"),
    (2, 30, None),
    (3, 5, None),
    (4, 10, "x"),
    (5, 1, "n"),
    (6, 9, None),
]
_OTHER: list[Change] = [(2, 7, "z"), (1, 15, "c"), (6, 5, "y"), (5, 2, "n")]


class KilledError(Exception):
    """Stands for the end of the process."""


def _apply(spark: SparkSession, target: str, scd_type: Literal[1, 2], changes: list[Change]) -> None:
    apply_changes(
        spark,
        target=target,
        source=spark.createDataFrame([(*change, change[2] is None) for change in changes], _SCHEMA),
        keys=["id"],
        sequence_by="at",
        apply_as_deletes="deletes",
        except_column_list=["at", "deletes"],
        stored_as_scd_type=scd_type,
    )


def _model(scd_type: int, changes: list[Change]) -> list[Row]:
    events = [Event(key, at, None if name is None else {"id": key, "name": name}) for key, at, name in changes]
    return sorted(type_1(events) if scd_type == 1 else type_2(events), key=_by_key)


def _table(spark: SparkSession, target: str) -> list[Row]:
    return sorted((row.asDict() for row in spark.table(target).collect()), key=_by_key)


def _by_key(row: Row) -> tuple[Any, ...]:
    return row["id"], row.get("__START_AT", 0)


def _kill(*_: Any, **__: Any) -> None:
    raise KilledError


@pytest.mark.parametrize(
    ("scd_type", "step"),
    [
        (1, (flow, "read_pending")),
        (1, (scd1, "merge_into_target")),
        (1, (flow, "forget_pending")),
        (2, (scd2, "remember_hidden")),
        (2, (scd2, "merge_into_target")),
        (2, (flow, "forget_pending")),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else f"type {value}",
)
def test_a_killed_call_takes_effect_with_the_next_one(
    spark: SparkSession, target: str, monkeypatch: pytest.MonkeyPatch, scd_type: Literal[1, 2], step: tuple[Any, str]
) -> None:
    _apply(spark, target, scd_type, _BEFORE)
    with monkeypatch.context() as patch:
        patch.setattr(*step, _kill)
        with pytest.raises(KilledError):
            _apply(spark, target, scd_type, _KILLED)
    seen = _BEFORE + _KILLED if step[1] == "forget_pending" else _BEFORE
    assert _table(spark, target) == _model(scd_type, seen)

    _apply(spark, target, scd_type, _OTHER)
    assert _table(spark, target) == _model(scd_type, _BEFORE + _KILLED + _OTHER)


def test_an_event_that_would_be_forgotten_stops_the_call_before_it_writes(
    spark: SparkSession, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another call changed the target after this one had looked what the target would not show."""
    _apply(spark, target, 2, _BEFORE)
    with monkeypatch.context() as patch:
        patch.setattr(scd2, "remember_hidden", lambda *_: None)
        with pytest.raises(ConcurrentCallError, match="repeat the call, what it has logged is not lost"):
            _apply(spark, target, 2, _KILLED)
    assert _table(spark, target) == _model(2, _BEFORE)

    _apply(spark, target, 2, [])
    assert _table(spark, target) == _model(2, _BEFORE + _KILLED)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.mark.parametrize("scd_type", [1, 2])
def test_two_calls_at_once_both_take_effect(
    spark: SparkSession, target: str, pool: ThreadPoolExecutor, scd_type: Literal[1, 2]
) -> None:
    _apply(spark, target, scd_type, _BEFORE)

    _settled(pool, *[lambda changes=c: _apply(spark, target, scd_type, changes) for c in (_KILLED, _OTHER)])

    assert _table(spark, target) == _model(scd_type, _BEFORE + _KILLED + _OTHER)


def _settled(pool: ThreadPoolExecutor, *calls: Callable[[], None]) -> None:
    """Makes calls at once, and those again that were told to."""
    failures = [future.exception() for future in [pool.submit(call) for call in calls]]
    for call, failure in zip(calls, failures, strict=True):
        if isinstance(failure, ConcurrentCallError):
            call()
        elif failure:
            raise failure
