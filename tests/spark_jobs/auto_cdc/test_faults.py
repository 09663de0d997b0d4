"""A call that finds, when it is about to write, that another one came between."""

from collections.abc import Callable
from typing import Any, Literal

import pytest
from pyspark.sql import SparkSession

from spark_jobs.auto_cdc import ConcurrentCallError, attempts, flow
from spark_jobs.auto_cdc.pending import read_pending
from tests.spark_jobs.auto_cdc.ledger import BEFORE, CALL, OTHER, Change, Ledger

_LATER: list[Change] = [(1, 40, "d"), (2, 50, "d")]
_LATEST: list[Change] = [(1, 45, "e"), (3, 60, None), (7, 1, "x")]
_CALLS = pytest.mark.parametrize(
    "changes", [pytest.param(_LATER, id="in order"), pytest.param(CALL, id="late", marks=pytest.mark.full)]
)
_TYPES = pytest.mark.parametrize("scd_type", [pytest.param(1, marks=pytest.mark.full), 2])


class KilledError(Exception):
    """Stands for the end of the process."""


def _log_only(ledger: Ledger, spark: SparkSession, target: str, changes: list[Change]) -> None:
    def kill(*_: Any) -> None:
        raise KilledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow, "read_pending", kill)
        with pytest.raises(KilledError):
            ledger.apply(spark, target, changes)


def _meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None], *, times: int = 1) -> list[None]:
    """Lets something happen after a call has looked what is pending, and counts how often it has looked."""
    looked: list[None] = []

    def read_then_act(*arguments: Any) -> Any:
        pending = read_pending(*arguments)
        looked.append(None)
        if len(looked) <= times:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(flow, "read_pending", read_pending)
                act()
        return pending

    monkeypatch.setattr(flow, "read_pending", read_then_act)
    return looked


@_TYPES
@_CALLS
def test_a_call_that_logs_meanwhile_is_taken_along(
    spark: SparkSession,
    target: str,
    monkeypatch: pytest.MonkeyPatch,
    scd_type: Literal[1, 2],
    changes: list[Change],
) -> None:
    ledger = Ledger(scd_type)
    ledger.apply(spark, target, BEFORE)
    looked = _meanwhile(monkeypatch, lambda: _log_only(ledger, spark, target, _LATEST))

    ledger.apply(spark, target, changes)

    assert len(looked) == 2
    assert ledger.shown(spark.table(target)) == ledger.model(BEFORE + changes + _LATEST)


@pytest.mark.full
@_TYPES
@_CALLS
def test_a_call_that_is_done_meanwhile_is_not_undone(
    spark: SparkSession,
    target: str,
    monkeypatch: pytest.MonkeyPatch,
    scd_type: Literal[1, 2],
    changes: list[Change],
) -> None:
    ledger = Ledger(scd_type)
    ledger.apply(spark, target, BEFORE)
    _meanwhile(monkeypatch, lambda: ledger.apply(spark, target, _LATEST))

    ledger.apply(spark, target, changes)

    assert ledger.shown(spark.table(target)) == ledger.model(BEFORE + changes + _LATEST)


@pytest.mark.full
def test_a_call_that_is_always_overtaken_says_that_it_can_be_repeated(
    spark: SparkSession, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(2)
    ledger.apply(spark, target, BEFORE)
    with monkeypatch.context() as patch:
        patch.setattr(attempts, "_ATTEMPTS", 2)
        _meanwhile(patch, lambda: _log_only(ledger, spark, target, OTHER), times=2)
        with pytest.raises(ConcurrentCallError, match="repeat the call, what it has logged is not lost"):
            ledger.apply(spark, target, CALL)
    assert ledger.shown(spark.table(target)) == ledger.model(BEFORE)

    ledger.apply(spark, target, [])
    assert ledger.shown(spark.table(target)) == ledger.model(BEFORE + CALL + OTHER)
