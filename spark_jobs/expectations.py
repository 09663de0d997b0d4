"""What is expected of each topic's messages in a run: checked against the accounts, and kept in `ops.expectations`."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pyspark.sql import SparkSession

from spark_jobs.audited import Audited
from spark_jobs.lake import Lake
from spark_jobs.tables import EXPECTATIONS
from spark_jobs.topics import TOPICS

READABLE = "readable"
"""At most so many per cent of the run's messages went to quarantine."""
ACCOUNTED = "accounted"
"""Every offset up to the position is accounted for once: so many are twice, or never."""
FRESH = "fresh"
"""The newest message is at most so many minutes old; asked where the configuration has a limit."""


@dataclass(frozen=True)
class Limits:
    """How much of what may be found.

    Attributes:
        quarantined_percent: Of a run's messages.
        age_minutes: Of a topic's newest message; 0: any age.
    """

    quarantined_percent: int
    age_minutes: int


class Outcome(NamedTuple):
    """A row of `ops.expectations`: met where no more was found than the limit."""

    checked_at: dt.datetime
    topic: str
    expectation: str
    most: float
    found: float
    is_met: bool
    messages: int


def check(before: Audited, after: Audited, limits: Limits, now: dt.datetime) -> list[Outcome]:
    """What became of the expectations in a run; of a topic that nothing arrived in, nothing is asked."""
    return [
        Outcome(now, topic, expectation, float(most), round(float(found), 3), found <= most, messages)
        for topic in TOPICS
        if (messages := _arrived(topic, before, after))
        for expectation, most, found in _asked(topic, before, after, limits, now)
    ]


def _asked(
    topic: str, before: Audited, after: Audited, limits: Limits, now: dt.datetime
) -> Iterator[tuple[str, float, float]]:
    """Each expectation, its limit, and what was found."""
    quarantined = after.bad[topic] - before.bad[topic]
    yield READABLE, limits.quarantined_percent, 100 * quarantined / _arrived(topic, before, after)
    yield ACCOUNTED, 0, after.unaccounted[topic]
    newest_at = after.newest.get(topic)
    if limits.age_minutes and newest_at:
        yield FRESH, limits.age_minutes, (now - newest_at).total_seconds() / 60


def _arrived(topic: str, before: Audited, after: Audited) -> int:
    return after.good[topic] + after.bad[topic] - before.good[topic] - before.bad[topic]


def keep(spark: SparkSession, lake: Lake, outcomes: list[Outcome]) -> None:
    """Appends them to the table."""
    rows = spark.createDataFrame(outcomes, EXPECTATIONS.columns)
    rows.write.format("delta").mode("append").save(lake.path(EXPECTATIONS))


def sentences(outcomes: list[Outcome]) -> list[str]:
    """What was not met, for people."""
    return [
        f"{outcome.topic} should be {outcome.expectation}: at most {outcome.most:g} expected, {outcome.found:g} found "
        f"in {outcome.messages:,} messages (see ops.expectations)"
        for outcome in outcomes
        if not outcome.is_met
    ]
