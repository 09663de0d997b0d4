"""Forgets what no later event can need, and writes the rest of the memory together.

An event counts as old once it was logged longer ago than the retention. From then on the law holds only for events that
are not earlier than the latest old one of their key: whatever comes before that comes too late.

Type 1
- Of a key's events the latest is kept, and a delete only until it is old. But for that delete nothing is lost.
- With ignored nulls, the events up to the latest old one become one event that says what they said together.

Type 2
- Where the target shows every event that changed something, events are kept until they are old.
- With ignored nulls or untracked columns, a key's events before the latest old one go: their rows stand in the target
  and say the same. With both they stay, since a row then says what a later event of its run has said.

All of it is one commit of the companion. A call that wrote to it meanwhile makes it fail, and it is done again.
"""

import datetime as dt

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType
from pyspark.sql.window import Window

from spark_jobs.auto_cdc.attempts import repeated
from spark_jobs.auto_cdc.columns import comparable
from spark_jobs.auto_cdc.companion import companion_of
from spark_jobs.auto_cdc.ddl import Definition, find_table
from spark_jobs.auto_cdc.errors import TargetError
from spark_jobs.auto_cdc.event_log import COLUMNS, REMEMBERED, TRUNCATES, is_part, parts_in
from spark_jobs.auto_cdc.properties import Habits, habits_of
from spark_jobs.auto_cdc.scd1 import folded_rows, not_truncated, one_per_sequence
from spark_jobs.auto_cdc.spec import DELETE, KEY, LOGGED_AT, PART, ROW, SEQUENCE

_LAST_OLD = "__LAST_OLD"


def forget_events(spark: SparkSession, *, target: str, logged_before: dt.datetime | None = None) -> None:
    """Forgets the events that count as old, and brings the memory into few files, ordered by sequence.

    Readers of the target see no difference. See docs/change-data-capture.md for what later calls then can't know.

    Args:
        spark: The session.
        target: Name of a table that `apply_changes` has written.
        logged_before: Events that were logged before this moment are old; none by default, and then nothing is lost.

    Raises:
        TargetError: No call has written the table, or its companion was lost.
        ConcurrentCallError: Calls kept changing the memory. Repeat it.
    """
    cutoff = None if logged_before is None else _moment(logged_before)
    repeated(target, lambda: _forget(spark, target, cutoff))


def _moment(at: dt.datetime) -> Column:
    # As text or as a Python datetime it would go through a time zone, in which an hour can occur twice.
    since_epoch = at.astimezone(dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return F.timestamp_micros(F.lit(since_epoch // dt.timedelta(microseconds=1)))


def _forget(spark: SparkSession, target: str, cutoff: Column | None) -> None:
    companion = companion_of(spark, _written(spark, target)).name
    found = parts_in(spark, companion, is_part(REMEMBERED, TRUNCATES))
    if not found:
        return
    # Only now: a call records its habits before it logs what it remembers because of them.
    habits = habits_of(_written(spark, target))
    # What is read is what is replaced, so that nothing is lost that another run has brought together meanwhile.
    whole = F.col(PART).isin(*found, REMEMBERED, TRUNCATES)
    kept = _kept(spark.table(companion).where(whole), habits, cutoff)
    part = F.when(F.col(KEY).isNull(), F.lit(TRUNCATES)).otherwise(F.lit(REMEMBERED))
    ordered = kept.withColumn(PART, part).select(*COLUMNS, LOGGED_AT).repartitionByRange(SEQUENCE)
    ordered.writeTo(companion).overwrite(whole)


def _written(spark: SparkSession, target: str) -> Definition:
    found = find_table(spark, target)
    if found is None:
        raise TargetError(f"{target} must have been written by apply_changes: found no such table")
    habits_of(found)
    return found


def _kept(memory: DataFrame, habits: Habits, cutoff: Column | None) -> DataFrame:
    is_old = F.lit(False) if cutoff is None else F.coalesce(F.col(LOGGED_AT) < cutoff, F.lit(False))
    alive = not_truncated(memory, memory.where(F.col(KEY).isNull()))
    if habits.scd_type == 1 and not habits.ignores_nulls:
        return _latest(alive, is_old)
    if cutoff is None or (habits.ignores_nulls and habits.leaves_untracked):
        return alive
    if habits.scd_type == 1:
        return _folded(alive, is_old, cutoff)
    partly_shown = habits.ignores_nulls or habits.leaves_untracked
    return _since_last_old(alive, is_old) if partly_shown else alive.where(~is_old)


def _latest(events: DataFrame, is_old: Column) -> DataFrame:
    """Each key's last event; the last truncate too, whose key is null."""
    order = F.struct(
        F.col(SEQUENCE), F.col(DELETE), comparable(F.col(ROW), _row_type(events)).alias(ROW), F.col(LOGGED_AT)
    )
    said = F.struct(SEQUENCE, DELETE, ROW, LOGGED_AT)
    last = events.groupBy(KEY).agg(F.max_by(said, order).alias("said")).select(KEY, "said.*")
    return last.where(~(F.col(DELETE) & is_old))


def _folded(events: DataFrame, is_old: Column, cutoff: Column) -> DataFrame:
    """One event for a key's events up to its last old one, unless it deletes; and those since."""
    marked = events.withColumn(_LAST_OLD, _last(is_old, F.col(SEQUENCE)))
    is_settled = F.col(KEY).isNotNull() & F.coalesce(F.col(SEQUENCE) <= F.col(_LAST_OLD), F.lit(False))
    row = _row_type(events)
    settled = one_per_sequence(marked.where(is_settled), row=row, is_pending=F.lit(False))
    folded = (
        folded_rows(settled, row=row).where(~F.col(DELETE)).withColumn(LOGGED_AT, cutoff - F.expr("INTERVAL 1 SECOND"))
    )
    columns = (KEY, SEQUENCE, DELETE, ROW, LOGGED_AT)
    return marked.where(~is_settled).select(*columns).unionByName(folded.select(*columns))


def _since_last_old(events: DataFrame, is_old: Column) -> DataFrame:
    """A key's events from its last old one on; without that one too if it deletes."""
    last, at = F.col(_LAST_OLD), F.col(SEQUENCE)
    # Where an upsert has the sequence of a delete, the delete is the greater of the two, and neither is needed.
    is_needed = last.isNull() | (at > last[SEQUENCE]) | ((at == last[SEQUENCE]) & ~last[DELETE])
    return events.withColumn(_LAST_OLD, _last(is_old, F.struct(SEQUENCE, DELETE))).where(is_needed)


def _last(is_old: Column, what: Column) -> Column:
    return F.max(F.when(is_old, what)).over(Window.partitionBy(KEY))


def _row_type(events: DataFrame) -> StructType:
    row = events.schema[ROW].dataType
    assert isinstance(row, StructType)  # noqa: S101 - the companion is ours
    return row
