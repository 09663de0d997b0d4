"""Two calls at once on one target, round after round: both take effect, or one says that it is to be repeated."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import Literal

import pytest
from pyspark.sql import SparkSession

from spark_jobs.auto_cdc import ConcurrentCallError
from tests.spark_jobs.auto_cdc.ledger import Change, Ledger

pytestmark = pytest.mark.full

_ROUNDS = 20
_NEW, _EMPTY = "", "id int, name string"
_FIRST_CALLS = [
    pytest.param(ledger, columns, id=f"{ledger}, columns: {columns}")
    for ledger, columns in itertools.product((Ledger(1), Ledger(2)), (_NEW, _EMPTY))
]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.mark.parametrize("scd_type", [1, 2])
def test_two_calls_at_once_both_take_effect(
    spark: SparkSession, target: str, pool: ThreadPoolExecutor, scd_type: Literal[1, 2]
) -> None:
    ledger = Ledger(scd_type)
    seen: list[Change] = [(key, 0, "a") for key in range(6)]
    ledger.apply(spark, target, seen)
    for number in range(_ROUNDS):
        calls = [_changes(Random(f"{number} {writer}")) for writer in ("one", "other")]  # noqa: S311 - no secrets
        _settle(pool, partial(ledger.apply, spark, target), calls)
        seen += [change for call in calls for change in call]
        assert ledger.shown(spark.table(target)) == ledger.model(seen), f"after round {number + 1}"


@pytest.mark.parametrize(("ledger", "columns"), _FIRST_CALLS)
def test_two_first_calls_at_once_share_one_memory(
    spark: SparkSession,
    target: str,
    pool: ThreadPoolExecutor,
    ledger: Ledger,
    columns: str,
) -> None:
    for number in range(_ROUNDS):
        name = f"{target}_{number}"
        if columns:
            spark.sql(f"CREATE TABLE {name} ({columns}) USING delta")
        calls = [_changes(Random(f"{number} {call}")) for call in range(4)]  # noqa: S311 - no secrets
        apply = partial(ledger.apply, spark, name)
        _settle(pool, apply, calls[:2])
        _settle(pool, apply, calls[2:])
        expected = ledger.model(change for call in calls for change in call)
        assert ledger.shown(spark.table(name)) == expected, f"after round {number + 1}"


def _changes(random: Random) -> list[Change]:
    """Changes of the same few keys for both writers, each with a time of its own, early and late ones mixed."""
    said: list[str | None] = [*random.choices("abc", k=5), None]
    return [(random.randrange(6), random.randrange(1, 10**9), value) for value in said]


def _settle(pool: ThreadPoolExecutor, apply: Callable[[list[Change]], None], calls: list[list[Change]]) -> None:
    """Makes the calls at once, and those again that were told to."""
    failures = [future.exception() for future in [pool.submit(apply, call) for call in calls]]
    for call, failure in zip(calls, failures, strict=True):
        if isinstance(failure, ConcurrentCallError):
            apply(call)
        elif failure:
            raise failure
