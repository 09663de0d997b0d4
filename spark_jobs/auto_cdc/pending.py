"""The calls that a call settles: its own, and those that were killed or are under way."""

from collections.abc import Iterable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.auto_cdc.bounds import Bound
from spark_jobs.auto_cdc.columns import column
from spark_jobs.auto_cdc.event_log import (
    PENDING,
    REMEMBERED,
    TRUNCATES,
    Logged,
    events_in,
    is_part,
    parts_in,
)
from spark_jobs.auto_cdc.spec import KEY, PART, SEQUENCE
from spark_jobs.auto_cdc.summary import Summary, measures, summary_of
from spark_jobs.auto_cdc.tables import Tables
from spark_jobs.conflicts import OVERTAKEN


@dataclass(frozen=True)
class Pending:
    """The calls whose events may not be in the target yet, this one among them.

    Attributes:
        calls: Their parts of the companion.
        summary: What their events have in common.
        only_later: Whether they are one call's, and nothing that is remembered is as late as the first of them.
    """

    calls: tuple[str, ...]
    summary: Summary
    only_later: bool


def read_pending(spark: SparkSession, tables: Tables, logged: Logged) -> Pending | None:
    """Finds what is pending; none where no call has left an event."""
    parts = _parts_since(spark, tables, logged.summary.first_sequence)
    calls = _calls(parts)
    if not calls:
        return None
    if calls == (logged.pending,):
        return Pending(calls, logged.summary, only_later=parts <= logged.parts)
    return Pending(calls, _summed_up(spark, tables, calls), only_later=False)


def _calls(parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(part for part in parts if part.startswith(PENDING)))


def _parts_since(spark: SparkSession, tables: Tables, first: Bound | None) -> set[str]:
    return parts_in(spark, tables.companion, is_part(PENDING), is_part(REMEMBERED, TRUNCATES) & since(first))


def since(first: Bound | None) -> Column:
    """Whether an event is, as far as its leading field tells, no earlier than the first pending one."""
    return F.lit(True) if first is None else column(SEQUENCE, *first.path) >= first.least


def _summed_up(spark: SparkSession, tables: Tables, calls: tuple[str, ...]) -> Summary:
    events = events_in(spark, tables, F.col(PART).isin(*calls))
    return summary_of(tables.shape, events.agg(*measures(tables.shape)).collect()[0].asDict())


def pending_events(spark: SparkSession, tables: Tables, pending: Pending) -> DataFrame:
    """The pending calls' events; reading them fails where another call has logged events meanwhile."""
    key = F.when(F.col(PART).isin(*pending.calls), F.col(KEY)).otherwise(F.raise_error(F.lit(OVERTAKEN)))
    return events_in(spark, tables, is_part(PENDING)).withColumn(KEY, key)
