"""The model itself: what must hold of any table that it gives."""

from itertools import groupby, pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spark_jobs.auto_cdc.histories import KEYS, histories
from tests.spark_jobs.auto_cdc.model import Event, Row, type_1, type_2

_RANDOMS = st.randoms(use_true_random=True)


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in KEYS)


@settings(max_examples=50, deadline=None)
@given(random=_RANDOMS, ignores_nulls=st.booleans(), untracked=st.sampled_from([(), ("score",), ("name", "address")]))
def test_intervals_are_neither_empty_nor_overlapping(
    random: Random, ignores_nulls: bool, untracked: tuple[str, ...]
) -> None:
    events = [change.as_event() for change in histories(random, 20)]
    rows = type_2(events, ignores_nulls=ignores_nulls, untracked=untracked)
    for _, versions in groupby(sorted(rows, key=lambda row: (_key(row), row["__START_AT"])), _key):
        history = list(versions)
        assert all(row["__END_AT"] is not None for row in history[:-1])
        assert all(row["__END_AT"] is None or row["__START_AT"] < row["__END_AT"] for row in history)
        assert all(earlier["__END_AT"] <= later["__START_AT"] for earlier, later in pairwise(history))


@settings(max_examples=50, deadline=None)
@given(random=_RANDOMS, ignores_nulls=st.booleans())
def test_order_and_repetition_make_no_difference(random: Random, ignores_nulls: bool) -> None:
    events = [change.as_event() for change in histories(random, 20, truncates=True)]
    again = random.sample(events, k=len(events)) + events[:10]
    assert _sorted(type_1(again, ignores_nulls=ignores_nulls)) == _sorted(type_1(events, ignores_nulls=ignores_nulls))
    assert _sorted(type_2(again, ignores_nulls=ignores_nulls)) == _sorted(type_2(events, ignores_nulls=ignores_nulls))


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (_key(row), row.get("__START_AT", ())))


@settings(max_examples=50, deadline=None)
@given(random=_RANDOMS, ignores_nulls=st.booleans())
def test_type_1_is_what_type_2_has_open(random: Random, ignores_nulls: bool) -> None:
    events = [change.as_event() for change in histories(random, 20)]
    versions = type_2(events, ignores_nulls=ignores_nulls)
    current = [
        {name: value for name, value in row.items() if not name.startswith("__")}
        for row in versions
        if row["__END_AT"] is None
    ]
    assert _sorted(type_1(events, ignores_nulls=ignores_nulls)) == _sorted(current)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([{"a": 1, "s": {"x": 1, "y": None}}, {"a": None, "s": {"x": None, "y": 2}}], {"a": 1, "s": {"x": 1, "y": 2}}),
        ([{"a": None, "s": {"x": None, "y": None}}], {"a": None, "s": None}),
        ([{"a": 1, "s": {"x": 1, "y": 1}}, None, {"a": None, "s": None}], {"a": None, "s": None}),
    ],
)
def test_an_ignored_null_keeps_what_was_said_since_the_last_delete(said: list[Row | None], expected: Row) -> None:
    assert type_1([Event("k", at, row) for at, row in enumerate(said)], ignores_nulls=True) == [expected]
