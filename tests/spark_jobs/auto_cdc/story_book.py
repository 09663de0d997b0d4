"""The stories themselves. An event is (at, value) or (at, value, note); a row is (value, start, end) or with a note."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

DELETE = "(delete)"
Event = tuple[Any, ...]
Call = Sequence[Event]


@dataclass(frozen=True)
class Story:
    """What arrives in each call, and type 2's rows that come of it: (value, note, start, end), the note if it matters.

    Type 1's row is the one that is open.
    """

    calls: Sequence[Call]
    rows: Sequence[tuple[Any, ...]]

    def versions(self) -> list[list[Any]]:
        return [[value, note[0] if note else None, start, end] for value, *note, start, end in self.rows]

    def latest(self) -> list[list[Any]]:
        return [[value, note] for value, note, _, end in self.versions() if end is None]


STORIES = {
    "a new key opens a row": Story([[(10, "a")]], [("a", 10, None)]),
    "two updates in one call close one row and open another": Story(
        [[(10, "a"), (20, "b")]], [("a", 10, 20), ("b", 20, None)]
    ),
    "an update in a later call closes the open row": Story(
        [[(10, "a")], [(20, "b")]], [("a", 10, 20), ("b", 20, None)]
    ),
    "an update leaves closed rows as they are": Story(
        [[(5, "a"), (10, "b")], [(20, "c")]], [("a", 5, 10), ("b", 10, 20), ("c", 20, None)]
    ),
    "a delete closes the open row": Story([[(10, "a")], [(20, DELETE)]], [("a", 10, 20)]),
    "a delete in the same call closes the row too": Story([[(10, "a"), (20, DELETE)]], [("a", 10, 20)]),
    "insert, update, delete and insert in one call leave a gap": Story(
        [[(10, "a"), (20, "b"), (30, DELETE), (40, "c")]], [("a", 10, 20), ("b", 20, 30), ("c", 40, None)]
    ),
    "a delete and a later insert in one call": Story([[(2, DELETE), (3, "a")]], [("a", 3, None)]),
    "the same value after a delete is a new row": Story(
        [[(10, "a")], [(20, DELETE)], [(30, "a")]], [("a", 10, 20), ("a", 30, None)]
    ),
    "a null is a value like others": Story(
        [[(10, None)], [(20, "a")], [(30, None)]], [(None, 10, 20), ("a", 20, 30), (None, 30, None)]
    ),
    "a repeated event changes nothing": Story([[(10, "a")], [(10, "a")], [(10, "a"), (10, "a")]], [("a", 10, None)]),
    "a repeated value keeps its row": Story([[(10, "a")], [(20, "a")], [(30, "a")]], [("a", 10, None)]),
    "a repeated value keeps its row within one call": Story([[(10, "a"), (20, "a"), (30, "a")]], [("a", 10, None)]),
    "a repeated value keeps its row until another comes": Story(
        [[(10, "a")], [(20, "a")], [(30, "b")]], [("a", 10, 30), ("b", 30, None)]
    ),
    "a late repeated value inside a closed run changes nothing": Story(
        [[(5, "a"), (10, "a"), (20, "b")], [(15, "a")]], [("a", 5, 20), ("b", 20, None)]
    ),
    "late repeated values before and inside a run move its start": Story(
        [[(10, "a"), (20, "b")], [(5, "a"), (15, "a")]], [("a", 5, 20), ("b", 20, None)]
    ),
    "a late event before all others opens the first row": Story(
        [[(10, "a")], [(5, "b")]], [("b", 5, 10), ("a", 10, None)]
    ),
    "a late event with the next row's value extends that row backwards": Story(
        [[(10, "a")], [(5, "a")]], [("a", 5, None)]
    ),
    "an event that a late one has hidden still splits the run": Story(
        [[(10, "a")], [(5, "a")], [(7, "b")]], [("a", 5, 7), ("b", 7, 10), ("a", 10, None)]
    ),
    "a late event splits a closed row": Story(
        [[(10, "a"), (20, "c")], [(15, "b")]], [("a", 10, 15), ("b", 15, 20), ("c", 20, None)]
    ),
    "a late event splits an open row where a repeated value was remembered": Story(
        [[(10, "a")], [(20, "a")], [(15, "b")]], [("a", 10, 15), ("b", 15, 20), ("a", 20, None)]
    ),
    "a late event splits a closed run at its remembered events": Story(
        [[(5, "a"), (10, "a"), (15, "a")], [(20, "c")], [(12, "b")]],
        [("a", 5, 12), ("b", 12, 15), ("a", 15, 20), ("c", 20, None)],
    ),
    "two late events split two rows in one call": Story(
        [[(1, "a"), (5, "b"), (10, "c"), (20, "d")], [(7, "x"), (15, "y")]],
        [("a", 1, 5), ("b", 5, 7), ("x", 7, 10), ("c", 10, 15), ("y", 15, 20), ("d", 20, None)],
    ),
    "a late delete shortens a row and leaves a gap": Story(
        [[(10, "a"), (30, "b")], [(20, DELETE)]], [("a", 10, 20), ("b", 30, None)]
    ),
    "a late delete leaves a row that began after it alone": Story([[(5, "a")], [(2, DELETE)]], [("a", 5, None)]),
    "a late delete shortens the last, closed row": Story([[(10, "a"), (20, DELETE)], [(15, DELETE)]], [("a", 10, 15)]),
    "a late delete before a delete shortens the row, and the later one is remembered": Story(
        [[(10, "a"), (20, DELETE)], [(15, DELETE)], [(17, "b")]], [("a", 10, 15), ("b", 17, 20)]
    ),
    "a delete with nothing to close shows nothing": Story([[(5, DELETE)]], []),
    "a late event ends at a delete that had nothing to close": Story([[(20, DELETE)], [(10, "a")]], [("a", 10, 20)]),
    "an insert after a remembered delete opens a row": Story([[(20, DELETE)], [(30, "a")]], [("a", 30, None)]),
    "a late event and a newer one on both sides of a remembered delete": Story(
        [[(20, DELETE)], [(10, "a"), (30, "b")]], [("a", 10, 20), ("b", 30, None)]
    ),
    "two deletes in a row end a row once": Story(
        [[(10, "a")], [(20, DELETE)], [(30, DELETE)], [(25, "b")]], [("a", 10, 20), ("b", 25, 30)]
    ),
    "an event after a gap leaves the closed run alone": Story(
        [[(10, "a"), (11, "a")], [(12, DELETE)], [(20, "b")]], [("a", 10, 12), ("b", 20, None)]
    ),
    "a delete beats an upsert of its sequence in one call": Story([[(10, "a"), (10, DELETE)]], []),
    "a late delete beats the upsert of its sequence": Story([[(10, "a")], [(10, DELETE)]], []),
    "a late upsert does not beat the delete of its sequence": Story(
        [[(5, "a"), (10, DELETE)], [(10, "b")]], [("a", 5, 10)]
    ),
    "of two upserts of one sequence the greater wins": Story([[(10, "a"), (10, "b")]], [("b", 10, None)]),
    "the greater wins if it comes first": Story([[(10, "b")], [(10, "a")]], [("b", 10, None)]),
    "the greater wins if it comes last": Story([[(10, "a")], [(10, "b")]], [("b", 10, None)]),
    "a tie between a remembered event and a greater one": Story(
        [[(10, "a")], [(20, "a")], [(20, "b")], [(20, "a")]], [("a", 10, 20), ("b", 20, None)]
    ),
    "everything out of order in six calls": Story(
        [[(1, "a"), (3, "b")], [(2, "c")], [(4, "d")], [(2, DELETE)], [(5, DELETE)], [(4, "a")]],
        [("a", 1, 2), ("b", 3, 4), ("d", 4, 5)],
    ),
}

UNTRACKED = {
    "an untracked column alone opens no row and shows the latest": Story(
        [[(10, "a", "x")], [(20, "a", "y")], [(30, "a", "z")]], [("a", "z", 10, None)]
    ),
    "a tracked column opens a row": Story(
        [[(10, "a", "x"), (20, "b", "x")], [(30, "c", "x")]],
        [("a", "x", 10, 20), ("b", "x", 20, 30), ("c", "x", 30, None)],
    ),
    "a run closed by another value shows its last untracked value": Story(
        [[(39, "a", "x")], [(41, "a", "y")], [(42, "b", "z")], [(43, "c", "z")]],
        [("a", "y", 39, 42), ("b", "z", 42, 43), ("c", "z", 43, None)],
    ),
    "a late event gives both halves of a split run their own untracked value": Story(
        [[(10, "a", "x")], [(30, "a", "y")], [(20, "b", "z")]],
        [("a", "x", 10, 20), ("b", "z", 20, 30), ("a", "y", 30, None)],
    ),
    "a late event with an older untracked value does not show": Story(
        [[(10, "a", "x")], [(30, "a", "y")], [(20, "a", "z")]], [("a", "y", 10, None)]
    ),
    "a late delete leaves the untracked value of its own time": Story(
        [[(10, "a", "x")], [(30, "a", "y")], [(20, DELETE)]], [("a", "x", 10, 20), ("a", "y", 30, None)]
    ),
}

PARTIAL = {
    "a null keeps what was said before": Story(
        [[(10, "a", "x")], [(20, None, "y")]], [("a", "x", 10, 20), ("a", "y", 20, None)]
    ),
    "a null within one call keeps it too": Story(
        [[(10, "a", "x"), (20, "b", None)]], [("a", "x", 10, 20), ("b", "x", 20, None)]
    ),
    "nothing but nulls opens no row": Story([[(10, "a", "x")], [(20, None, None)]], [("a", "x", 10, None)]),
    "nothing but nulls is an upsert still": Story([[(10, None, None)]], [(None, None, 10, None)]),
    "what was never said is null": Story(
        [[(10, None, "x")], [(20, "a", None)]], [(None, "x", 10, 20), ("a", "x", 20, None)]
    ),
    "a late value is what later nulls keep": Story(
        [[(10, "a", "x")], [(30, None, "y")], [(20, "b", None)]],
        [("a", "x", 10, 20), ("b", "x", 20, 30), ("b", "y", 30, None)],
    ),
    "a late value ends where another was said": Story(
        [[(10, "a", "x"), (30, "c", None), (40, None, "y")], [(20, "b", None)]],
        [("a", "x", 10, 20), ("b", "x", 20, 30), ("c", "x", 30, 40), ("c", "y", 40, None)],
    ),
    "nothing is kept across a delete": Story(
        [[(10, "a", "x"), (20, DELETE)], [(30, None, "y")]], [("a", "x", 10, 20), (None, "y", 30, None)]
    ),
    "a late delete ends what later nulls kept": Story(
        [[(10, "a", "x")], [(30, None, "y")], [(20, DELETE)]], [("a", "x", 10, 20), (None, "y", 30, None)]
    ),
    "what is said again after a delete is kept again": Story(
        [[(10, "a", "x")], [(20, DELETE)], [(30, "b", None)], [(40, None, "y")]],
        [("a", "x", 10, 20), ("b", None, 30, 40), ("b", "y", 40, None)],
    ),
}


@dataclass(frozen=True)
class Truncated:
    """Stories of a table that is emptied at 50 in the second call, and again, late, at 40 in the third."""

    calls: Sequence[Call]
    stories: dict[str, Story]
    partial_stories: dict[str, Story]


ONE_TRUNCATE = Truncated(
    calls=[[], [(50, None)], [(40, None)]],
    stories={
        "what was before it is gone": Story([[(10, "a")]], []),
        "what came in the same call and was before it is gone": Story([[], [(45, "a")]], []),
        "what comes later and was before it is void": Story([[], [], [(45, "a")]], []),
        "what has its sequence stays": Story([[(50, "a")]], [("a", 50, None)]),
        "what was after it stays": Story([[(60, "a")]], [("a", 60, None)]),
        "what comes later and was after it stays": Story([[(10, "a")], [], [(55, "b")]], [("b", 55, None)]),
        "a delete before it is void, as is what that had deleted": Story([[(10, "a")], [(20, DELETE)]], []),
        "a delete after it still deletes what comes later": Story([[(60, DELETE)], [], [(55, "a")]], []),
    },
    partial_stories={
        "nothing is kept across it": Story([[(10, "a", "x")], [(60, None, "y")]], [(None, "y", 60, None)]),
        "nothing that comes later is kept across it": Story(
            [[(60, None, "y")], [], [(45, "a", "x")]], [(None, "y", 60, None)]
        ),
        "after it nulls keep what was said": Story([[(55, "a", "x")], [(60, None, "y")]], [("a", "y", 60, None)]),
    },
)
