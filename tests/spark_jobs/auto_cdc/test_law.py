"""The table is a function of the set of events: the engine against the model, on random histories."""

from dataclasses import dataclass
from random import Random
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from spark_jobs.auto_cdc import TiedEventsWarning, apply_changes
from tests.spark_jobs.auto_cdc.histories import KEYS, SCHEMA, Change, calls, histories
from tests.spark_jobs.auto_cdc.model import Row, type_1, type_2

_ONCE = settings(
    max_examples=1,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # a failing history is already one key's: there is nothing to shrink
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
_OFTEN = settings(_ONCE, max_examples=5)


@dataclass(frozen=True)
class Case:
    """A way to call the engine."""

    scd_type: Literal[1, 2]
    ignores_nulls: bool = False
    truncates: bool = False
    untracked: tuple[str, ...] = ()

    def apply(self, spark: SparkSession, target: str, changes: list[Change]) -> None:
        apply_changes(
            spark,
            target=target,
            source=spark.createDataFrame([change.as_source_row() for change in changes], SCHEMA),
            keys=KEYS,
            sequence_by="sequence",
            apply_as_deletes="op = 'd'",
            apply_as_truncates="op = 't'" if self.truncates else None,
            ignore_null_updates=self.ignores_nulls,
            except_column_list=["op", "sequence"],
            stored_as_scd_type=self.scd_type,
            track_history_except_column_list=self.untracked or None,
        )

    def model(self, changes: list[Change]) -> list[Row]:
        events = [change.as_event() for change in changes]
        if self.scd_type == 1:
            return type_1(events, ignores_nulls=self.ignores_nulls)
        return type_2(events, ignores_nulls=self.ignores_nulls, untracked=self.untracked)


_CASES = {
    "type 1": Case(1, truncates=True),
    "type 1, nulls ignored": Case(1, ignores_nulls=True),
    "type 2": Case(2),
    "type 2, nulls ignored": Case(2, ignores_nulls=True),
    "type 2, some untracked": Case(2, untracked=("score", "address")),
    "type 2, nulls ignored, some untracked": Case(2, ignores_nulls=True, untracked=("name",)),
}
_SAMPLED = ("type 1", "type 2")
"""What every run tries; the long form tries all."""


@pytest.mark.filterwarnings(f"ignore::{TiedEventsWarning.__module__}.{TiedEventsWarning.__name__}")
@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=name, marks=() if name in _SAMPLED else pytest.mark.full) for name, case in _CASES.items()],
)
@_ONCE
@given(random=st.randoms(use_true_random=True))
def test_every_order_split_and_repetition_gives_the_models_table(
    spark: SparkSession, schema: str, case: Case, random: Random
) -> None:
    _check(spark, f"{schema}.some", case, histories(random, 150, truncates=case.truncates), random, parts=2)


@pytest.mark.full
@pytest.mark.filterwarnings(f"ignore::{TiedEventsWarning.__module__}.{TiedEventsWarning.__name__}")
@pytest.mark.parametrize("case", _CASES.values(), ids=_CASES.keys())
@_OFTEN
@given(random=st.randoms(use_true_random=True))
def test_ten_thousand_histories_give_the_models_table(
    spark: SparkSession, schema: str, case: Case, random: Random
) -> None:
    _check(spark, f"{schema}.many", case, histories(random, 2000, truncates=case.truncates), random, parts=3)


def _check(spark: SparkSession, target: str, case: Case, changes: list[Change], random: Random, *, parts: int) -> None:
    for name in (target, f"{target}__cdc"):
        spark.sql(f"DROP TABLE IF EXISTS {name}")
    for part in calls(random, changes, parts):
        case.apply(spark, target, part)
    expected = _by_key(case.model(changes))
    actual = _by_key([_plain(row.asDict()) for row in spark.table(target).collect()])
    wrong = min((key for key in expected | actual if expected.get(key) != actual.get(key)), default=None)
    note(f"the changes of the first wrong key, in their order of arrival: {[c for c in changes if c.key == wrong]}")
    assert actual.get(wrong) == expected.get(wrong)


def _by_key(rows: list[Row]) -> dict[Any, list[Row]]:
    keyed: dict[Any, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row.get("__START_AT", ())):
        keyed.setdefault(tuple(row[name] for name in KEYS), []).append(row)
    return keyed


def _plain(row: Row) -> Row:
    """A Spark row as the model writes it: nested structs as dictionaries, sequences as tuples."""
    address = row["address"]
    bounds = {name: row[name] and tuple(row[name]) for name in ("__START_AT", "__END_AT") if name in row}
    return row | {"address": address and address.asDict(recursive=True)} | bounds
