"""Small stories, each told by one key of a shared table: what arrives in which call, and what the table shows then."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from pyspark.sql import SparkSession

from spark_jobs.auto_cdc import TiedEventsWarning, apply_changes

pytestmark = pytest.mark.full

_SCHEMA = "story string, at int, value string, note string, deletes boolean"
_DELETE = "(delete)"


@dataclass(frozen=True)
class Story:
    """What arrives in each call, as (at, value) or (at, value, untracked note), and the rows that come of it.

    Attributes:
        calls: One list per call.
        versions: Type 2's rows: (value, start, end).
        latest: Type 1's value; None where there is no row.
        notes: The untracked column of type 2's rows, where the story is about it.
    """

    calls: Sequence[Sequence[tuple[Any, ...]]]
    versions: Sequence[tuple[Any, int, int | None]]
    latest: str | None
    notes: Sequence[str] = field(default=())


_STORIES = {
    "a new key opens a row": Story([[(10, "a")]], [("a", 10, None)], "a"),
    "two updates in one call close one row and open another": Story(
        [[(10, "a"), (20, "b")]], [("a", 10, 20), ("b", 20, None)], "b"
    ),
    "an update in a later call closes the open row": Story(
        [[(10, "a")], [(20, "b")]], [("a", 10, 20), ("b", 20, None)], "b"
    ),
    "a delete closes the open row": Story([[(10, "a")], [(20, _DELETE)]], [("a", 10, 20)], None),
    "insert, update, delete and insert in one call leave a gap": Story(
        [[(10, "a"), (20, "b"), (30, _DELETE), (40, "c")]], [("a", 10, 20), ("b", 20, 30), ("c", 40, None)], "c"
    ),
    "the same value after a delete is a new row": Story(
        [[(10, "a")], [(20, _DELETE)], [(30, "a")]], [("a", 10, 20), ("a", 30, None)], "a"
    ),
    "a null is a value like others": Story(
        [[(10, None)], [(20, "a")], [(30, None)]], [(None, 10, 20), ("a", 20, 30), (None, 30, None)], None
    ),
    "a repeated event changes nothing": Story(
        [[(10, "a")], [(10, "a")], [(10, "a"), (10, "a")]], [("a", 10, None)], "a"
    ),
    "a repeated value keeps its row": Story([[(10, "a")], [(20, "a")], [(30, "a")]], [("a", 10, None)], "a"),
    "a repeated value keeps its row until another comes": Story(
        [[(10, "a")], [(20, "a")], [(30, "b")]], [("a", 10, 30), ("b", 30, None)], "b"
    ),
    "a late event before all others opens the first row": Story(
        [[(10, "a")], [(5, "b")]], [("b", 5, 10), ("a", 10, None)], "a"
    ),
    "a late event with the next row's value extends that row backwards": Story(
        [[(10, "a")], [(5, "a")]], [("a", 5, None)], "a"
    ),
    "an event that a late one has hidden still splits the run": Story(
        [[(10, "a")], [(5, "a")], [(7, "b")]], [("a", 5, 7), ("b", 7, 10), ("a", 10, None)], "a"
    ),
    "a late event splits a closed row": Story(
        [[(10, "a"), (20, "c")], [(15, "b")]], [("a", 10, 15), ("b", 15, 20), ("c", 20, None)], "c"
    ),
    "a late event splits an open row where a repeated value was remembered": Story(
        [[(10, "a")], [(20, "a")], [(15, "b")]], [("a", 10, 15), ("b", 15, 20), ("a", 20, None)], "a"
    ),
    "a late event splits a closed run at its remembered events": Story(
        [[(5, "a"), (10, "a"), (15, "a")], [(20, "c")], [(12, "b")]],
        [("a", 5, 12), ("b", 12, 15), ("a", 15, 20), ("c", 20, None)],
        "c",
    ),
    "two late events split two rows in one call": Story(
        [[(1, "a"), (5, "b"), (10, "c"), (20, "d")], [(7, "x"), (15, "y")]],
        [("a", 1, 5), ("b", 5, 7), ("x", 7, 10), ("c", 10, 15), ("y", 15, 20), ("d", 20, None)],
        "d",
    ),
    "a late delete shortens a row and leaves a gap": Story(
        [[(10, "a"), (30, "b")], [(20, _DELETE)]], [("a", 10, 20), ("b", 30, None)], "b"
    ),
    "a late delete before a delete shortens the row, and the later one is remembered": Story(
        [[(10, "a"), (20, _DELETE)], [(15, _DELETE)], [(17, "b")]], [("a", 10, 15), ("b", 17, 20)], None
    ),
    "a delete with nothing to close shows nothing": Story([[(5, _DELETE)]], [], None),
    "a late event ends at a delete that had nothing to close": Story(
        [[(20, _DELETE)], [(10, "a")]], [("a", 10, 20)], None
    ),
    "an insert after a remembered delete opens a row": Story([[(20, _DELETE)], [(30, "a")]], [("a", 30, None)], "a"),
    "two deletes in a row end a row once": Story(
        [[(10, "a")], [(20, _DELETE)], [(30, _DELETE)], [(25, "b")]], [("a", 10, 20), ("b", 25, 30)], None
    ),
    "an event after a gap leaves the closed run alone": Story(
        [[(10, "a"), (11, "a")], [(12, _DELETE)], [(20, "b")]], [("a", 10, 12), ("b", 20, None)], "b"
    ),
    "a delete beats an upsert of its sequence in one call": Story([[(10, "a"), (10, _DELETE)]], [], None),
    "a late delete beats the upsert of its sequence": Story([[(10, "a")], [(10, _DELETE)]], [], None),
    "a late upsert does not beat the delete of its sequence": Story(
        [[(5, "a"), (10, _DELETE)], [(10, "b")]], [("a", 5, 10)], None
    ),
    "of two upserts of one sequence the greater wins": Story([[(10, "a"), (10, "b")]], [("b", 10, None)], "b"),
    "the greater wins if it comes first": Story([[(10, "b")], [(10, "a")]], [("b", 10, None)], "b"),
    "the greater wins if it comes last": Story([[(10, "a")], [(10, "b")]], [("b", 10, None)], "b"),
    "a tie between a remembered event and a greater one": Story(
        [[(10, "a")], [(20, "a")], [(20, "b")], [(20, "a")]], [("a", 10, 20), ("b", 20, None)], "b"
    ),
}
_UNTRACKED = {
    "an untracked column alone opens no row and shows the latest": Story(
        [[(10, "a", "x")], [(20, "a", "y")], [(30, "a", "z")]], [("a", 10, None)], "a", ["z"]
    ),
    "a run closed by another value shows its last untracked value": Story(
        [[(10, "a", "x")], [(20, "a", "y")], [(30, "b", "z")], [(40, "c", "z")]],
        [("a", 10, 30), ("b", 30, 40), ("c", 40, None)],
        "c",
        ["y", "z", "z"],
    ),
    "a late event gives both halves of a split run their own untracked value": Story(
        [[(10, "a", "x")], [(30, "a", "y")], [(20, "b", "z")]],
        [("a", 10, 20), ("b", 20, 30), ("a", 30, None)],
        "a",
        ["x", "z", "y"],
    ),
    "a late event with an older untracked value does not show": Story(
        [[(10, "a", "x")], [(30, "a", "y")], [(20, "a", "z")]], [("a", 10, None)], "a", ["y"]
    ),
}


def _tell(spark: SparkSession, target: str, stories: dict[str, Story], **options: Any) -> None:
    for number in range(max(len(story.calls) for story in stories.values())):
        rows = [
            (name, at, None if value == _DELETE else value, note[0] if note else None, value == _DELETE)
            for name, story in stories.items()
            for at, value, *note in (story.calls[number] if number < len(story.calls) else ())
        ]
        apply_changes(
            spark,
            target=target,
            source=spark.createDataFrame(rows, _SCHEMA),
            keys=["story"],
            sequence_by="at",
            apply_as_deletes="deletes",
            except_column_list=["at", "deletes"],
            **options,
        )


@pytest.fixture(scope="module")
def told(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[tuple[Any, ...]]]]:
    """The rows of each story in a table of each kind."""
    schema = "cdc_stories"
    spark.sql(f"CREATE SCHEMA {schema} LOCATION 'file:{tmp_path_factory.mktemp(schema)}/{schema}'")
    with pytest.warns(TiedEventsWarning, match="of two upserts of one sequence the greater wins"):
        _tell(spark, f"{schema}.latest", _STORIES, stored_as_scd_type=1)
    with pytest.warns(TiedEventsWarning, match="of two upserts of one sequence the greater wins"):
        _tell(spark, f"{schema}.versions", _STORIES, stored_as_scd_type=2)
    _tell(spark, f"{schema}.tracked", _UNTRACKED, stored_as_scd_type=2, track_history_column_list=["value"])
    tables = {name: _by_story(spark, f"{schema}.{name}") for name in ("latest", "versions", "tracked")}
    spark.sql(f"DROP SCHEMA {schema} CASCADE")
    return tables


def _by_story(spark: SparkSession, table: str) -> dict[str, list[tuple[Any, ...]]]:
    stories: dict[str, list[tuple[Any, ...]]] = {}
    rows = [tuple(row) for row in spark.table(table).collect()]
    for story, *values in sorted(rows, key=lambda row: row[3:4]):
        stories.setdefault(story, []).append(tuple(values))
    return stories


@pytest.mark.parametrize("name", _STORIES)
def test_type_2_shows_every_version(told: dict[str, Any], name: str) -> None:
    expected = [(value, None, start, end) for value, start, end in _STORIES[name].versions]
    assert told["versions"].get(name, []) == expected


@pytest.mark.parametrize("name", _STORIES)
def test_type_1_shows_the_latest(told: dict[str, Any], name: str) -> None:
    story = _STORIES[name]
    is_there = bool(story.versions) and story.versions[-1][2] is None
    assert told["latest"].get(name, []) == ([(story.latest, None)] if is_there else [])


@pytest.mark.parametrize("name", _UNTRACKED)
def test_untracked_columns_show_the_latest_of_their_run(told: dict[str, Any], name: str) -> None:
    story = _UNTRACKED[name]
    expected = [
        (value, note, start, end) for (value, start, end), note in zip(story.versions, story.notes, strict=True)
    ]
    assert told["tracked"].get(name, []) == expected
