"""The table is a function of the set of events: the engine against the model, on random histories.

Every run makes other histories. A failure prints the run's seed, which makes the same histories and calls again:

    CDC_LAW_SEED=<seed> pytest tests/spark_jobs/auto_cdc/test_law.py
"""

import datetime as dt
import itertools
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from spark_jobs.auto_cdc import TiedEventsWarning, apply_changes, forget_events
from tests.spark_jobs.auto_cdc.histories import COLUMNS, KEYS, Call, Change, calls, calls_in_order, histories, sortable
from tests.spark_jobs.auto_cdc.model import Row, type_1, type_2

_SEED = os.environ.get("CDC_LAW_SEED") or str(secrets.randbelow(2**32))
# What hypothesis draws is the same in every run, and its first example always 0: it only tells one table from the next.
_ONE_TABLE = settings(
    max_examples=1,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],  # a wrong history is already one key's: there is nothing to shrink
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
_THREE_TABLES = settings(_ONE_TABLE, max_examples=3)
_NUMBERS = st.integers(0, 2**32)
_BOUNDS = ("__START_AT", "__END_AT")


@dataclass(frozen=True)
class Case:
    """A way to call the engine; the key columns are named in another case than the source has them.

    Attributes:
        scd_type: Of the target.
        ignores_nulls: `ignore_null_updates`.
        truncates: Whether the histories have some.
        untracked: Columns whose change opens no row.
        names_tracked: Whether the columns that do are named, instead of those that don't.
    """

    scd_type: Literal[1, 2]
    ignores_nulls: bool = False
    truncates: bool = False
    untracked: tuple[str, ...] = ()
    names_tracked: bool = False

    def apply(self, spark: SparkSession, target: str, call: Call) -> None:
        apply_changes(
            spark,
            target=target,
            source=spark.createDataFrame(call.rows(), call.source.schema),
            keys=[name.upper() for name in KEYS],
            sequence_by="sequence",
            apply_as_deletes="op = 'd'",
            apply_as_truncates="op = 't'" if self.truncates else None,
            ignore_null_updates=self.ignores_nulls,
            except_column_list=["op", "sequence"],
            stored_as_scd_type=self.scd_type,
            **self._tracking(),
        )

    def _tracking(self) -> dict[str, list[str]]:
        if not self.untracked:
            return {}
        if self.names_tracked:
            return {"track_history_column_list": [name for name in COLUMNS if name not in self.untracked]}
        return {"track_history_except_column_list": list(self.untracked)}

    def model(self, changes: Iterable[Change]) -> list[Row]:
        events = [change.as_event() for change in changes]
        if self.scd_type == 1:
            return type_1(events, ignores_nulls=self.ignores_nulls)
        return type_2(events, ignores_nulls=self.ignores_nulls, untracked=self.untracked)


_CASES = {
    "type 1": Case(1, truncates=True),
    "type 1, nulls ignored": Case(1, ignores_nulls=True, truncates=True),
    "type 2": Case(2),
    "type 2, nulls ignored": Case(2, ignores_nulls=True),
    "type 2, some untracked": Case(2, untracked=("address", "score"), names_tracked=True),
    "type 2, nulls ignored, some untracked": Case(2, ignores_nulls=True, untracked=("name",)),
}
_SAMPLED = ("type 1, nulls ignored", "type 2")
"""What every run tries, without compiling; the long form compiles, and tries all."""
_TIDIED = 0.3
"""After how many of the calls the memory is tidied, which loses nothing."""


@pytest.mark.filterwarnings(f"ignore::{TiedEventsWarning.__module__}.{TiedEventsWarning.__name__}")
@pytest.mark.parametrize("case", [_CASES[name] for name in _SAMPLED], ids=_SAMPLED)
@_ONE_TABLE
@given(number=_NUMBERS)
def test_every_order_split_and_repetition_gives_the_models_table(
    spark: SparkSession, schema: str, case: Case, number: int
) -> None:
    _check(spark, f"{schema}.few", case, number, histories_of=150, parts=2)


@pytest.mark.full
@pytest.mark.filterwarnings(f"ignore::{TiedEventsWarning.__module__}.{TiedEventsWarning.__name__}")
@pytest.mark.parametrize("case", _CASES.values(), ids=_CASES.keys())
@_THREE_TABLES
@given(number=_NUMBERS)
def test_ten_thousand_histories_give_the_models_table(
    compiling: SparkSession, schema: str, case: Case, number: int
) -> None:
    """Three tables of 560 in each of six cases."""
    _check(compiling, f"{schema}.many", case, number, histories_of=560, parts=4)


@pytest.mark.full
@pytest.mark.filterwarnings(f"ignore::{TiedEventsWarning.__module__}.{TiedEventsWarning.__name__}")
@pytest.mark.parametrize("case", _CASES.values(), ids=_CASES.keys())
@_ONE_TABLE
@given(number=_NUMBERS)
def test_what_is_old_is_missed_by_no_change_that_comes_in_time(
    spark: SparkSession, schema: str, case: Case, number: int
) -> None:
    """All that was logged is old, and nothing comes that is earlier."""
    random = _random(number)
    made = calls_in_order(random, histories(random, 100, truncates=case.truncates))
    target = f"{schema}.forgetful"
    _drop(spark, target)
    for call in made:
        case.apply(spark, target, call)
        forget_events(spark, target=target, logged_before=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    _compare(spark, target, case, made)


def _check(spark: SparkSession, target: str, case: Case, number: int, *, histories_of: int, parts: int) -> None:
    random = _random(number)
    made = calls(random, histories(random, histories_of, truncates=case.truncates), parts)
    _drop(spark, target)
    for call in made:
        case.apply(spark, target, call)
        if random.random() < _TIDIED:
            forget_events(spark, target=target)
    _compare(spark, target, case, made)


def _random(number: int) -> Random:
    note(f"to replay: CDC_LAW_SEED={_SEED}")
    return Random(f"{_SEED} {number}")  # noqa: S311 - histories, no secrets


def _drop(spark: SparkSession, target: str) -> None:
    for name in (target, f"{target}__cdc"):
        spark.sql(f"DROP TABLE IF EXISTS {name}")


def _compare(spark: SparkSession, target: str, case: Case, made: list[Call]) -> None:
    expected = _by_key(case.model(itertools.chain(*(call.changes for call in made))))
    actual = _by_key([_plain(row.asDict(recursive=True)) for row in spark.table(target).collect()])
    wrong = min((key for key in expected | actual if expected.get(key) != actual.get(key)), default=None)
    note(f"the changes of the first wrong key, call by call: {[_of_key(call, wrong) for call in made]}")
    assert actual.get(wrong) == expected.get(wrong)


def _of_key(call: Call, key: Any) -> list[Change]:
    return [change for change in call.changes if change.key == key or change.op == "t"]


def _by_key(rows: list[Row]) -> dict[Any, list[Row]]:
    keyed: dict[Any, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row.get("__START_AT", ())):
        keyed.setdefault(tuple(row[name] for name in KEYS), []).append(row)
    return keyed


def _plain(row: Row) -> Row:
    """A row of the table as the model writes it: columns that no source had are null, sequences sortable tuples."""
    address = row["address"] and {"geo": None} | row["address"]
    if address and address["geo"]:
        address["geo"] = {"y": None} | address["geo"]
    bounds = {name: row[name] and sortable(tuple(row[name].values())) for name in _BOUNDS if name in row}
    return {"score": None} | row | {"address": address} | bounds
