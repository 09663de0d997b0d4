"""Small stories, each told by one key of a shared table, and each told in several ways that make no difference."""

from typing import Literal

import pytest
from pyspark.sql import SparkSession

from spark_jobs.auto_cdc import TiedEventsWarning
from tests.spark_jobs.auto_cdc.stories import KINDS, TELLINGS, Kind, shown_in
from tests.spark_jobs.auto_cdc.story_book import STORIES

_SAMPLED = (("type 1", "all in one call"), ("type 2", "all in one call"))
"""What every run tells; the long form tells all."""


def _tellings() -> list[object]:
    return [
        pytest.param(
            KINDS[kind],
            telling,
            id=f"{kind}, {telling}",
            marks=() if (kind, telling) in _SAMPLED else pytest.mark.full,
        )
        for kind in KINDS
        for telling in TELLINGS
    ]


@pytest.mark.filterwarnings(f"ignore::{TiedEventsWarning.__module__}.{TiedEventsWarning.__name__}")
@pytest.mark.parametrize(("kind", "telling"), _tellings())
def test_the_table_shows_how_each_story_ends(spark: SparkSession, target: str, kind: Kind, telling: str) -> None:
    kind.tell(spark, target, telling)
    assert shown_in(spark, target) == kind.expected()


@pytest.mark.full
@pytest.mark.parametrize("scd_type", [1, 2])
def test_a_call_without_events_changes_nothing(spark: SparkSession, target: str, scd_type: Literal[1, 2]) -> None:
    told = "a late event ends at a delete that had nothing to close"
    kind = Kind({told: STORIES[told]}, scd_type)

    kind.apply(spark, target, [])
    assert shown_in(spark, target) == {}
    kind.tell(spark, target)
    kind.apply(spark, target, [])

    assert shown_in(spark, target) == kind.expected()


def test_a_tie_is_warned_of_with_its_key(spark: SparkSession, target: str) -> None:
    tied = [("tied", 10, "a", None, None), ("tied", 10, "b", None, None), ("not tied", 10, "a", None, None)]

    with pytest.warns(TiedEventsWarning, match=r'1 times .* one key and one sequence, such as .*"story":"tied"'):
        KINDS["type 2"].apply(spark, target, tied)
