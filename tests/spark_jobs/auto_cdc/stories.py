"""Small stories, each told by one key of a shared table: what arrives in which call, and what the table shows then.

Among them are the cases that open-source Spark tests its own AUTO CDC with, in both of its types.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pyspark.sql import SparkSession

from spark_jobs.auto_cdc import apply_changes
from tests.spark_jobs.auto_cdc.story_book import DELETE, ONE_TRUNCATE, PARTIAL, STORIES, UNTRACKED, Call, Story

SCHEMA = "story string, at int, value string, note string, op string"
Shown = dict[str, list[list[Any]]]
"""Each story's rows, without its name, in their order."""

TELLINGS: dict[str, Callable[[Sequence[Call]], list[Call]]] = {
    "as told": list,
    "every call twice": lambda calls: [call for call in calls for _ in range(2)],
    "the last call first": lambda calls: list(reversed(calls)),
    "all in one call": lambda calls: [list(itertools.chain(*calls))],
}
"""Ways to make a story's calls; the table is to be the same after each."""


@dataclass(frozen=True)
class Kind:
    """A way to call the engine, and the stories that fit it.

    Attributes:
        stories: By name.
        scd_type: 1 shows what of a story's rows is open.
        truncates: What empties the table, in which call, for all stories.
        options: Further arguments of `apply_changes`.
    """

    stories: Mapping[str, Story]
    scd_type: Literal[1, 2]
    truncates: Sequence[Call] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def tell(self, spark: SparkSession, target: str, telling: str = "as told") -> None:
        arranged = TELLINGS[telling]
        told = {name: arranged(story.calls) for name, story in self.stories.items()}
        if self.truncates:
            told |= {"": arranged(self.truncates)}
        for calls in itertools.zip_longest(*told.values(), fillvalue=()):
            rows = [_row(name, event) for name, call in zip(told, calls, strict=True) for event in call]
            self.apply(spark, target, rows)

    def apply(self, spark: SparkSession, target: str, rows: list[tuple[Any, ...]]) -> None:
        apply_changes(
            spark,
            target=target,
            source=spark.createDataFrame(rows, SCHEMA),
            keys=["story"],
            sequence_by="at",
            apply_as_deletes="op = 'd'",
            apply_as_truncates="op = 't'" if self.truncates else None,
            except_column_list=["at", "op"],
            stored_as_scd_type=self.scd_type,
            **self.options,
        )

    def expected(self) -> Shown:
        rows = {
            name: story.latest() if self.scd_type == 1 else story.versions() for name, story in self.stories.items()
        }
        return {name: shown for name, shown in rows.items() if shown}


def shown_in(spark: SparkSession, target: str) -> Shown:
    stories: Shown = {}
    rows = [list(row) for row in spark.table(target).collect()]
    for name, *values in sorted(rows, key=lambda row: row[3:4]):
        stories.setdefault(name, []).append(values)
    return stories


def _row(name: str, event: tuple[Any, ...]) -> tuple[Any, ...]:
    at, value, *note = event
    if not name:
        return (None, at, None, None, "t")
    op = "d" if value == DELETE else None
    return (name, at, None if value == DELETE else value, note[0] if note else None, op)


KINDS = {
    "type 1": Kind(STORIES, 1),
    "type 2": Kind(STORIES, 2),
    "type 1 with a truncate": Kind(ONE_TRUNCATE.stories, 1, ONE_TRUNCATE.calls),
    "type 2, the note untracked": Kind(UNTRACKED, 2, options={"track_history_column_list": ["value"]}),
    "type 1, nulls ignored": Kind(PARTIAL, 1, options={"ignore_null_updates": True}),
    "type 2, nulls ignored": Kind(PARTIAL, 2, options={"ignore_null_updates": True}),
    "type 1 with a truncate, nulls ignored": Kind(
        ONE_TRUNCATE.partial_stories, 1, ONE_TRUNCATE.calls, {"ignore_null_updates": True}
    ),
}
