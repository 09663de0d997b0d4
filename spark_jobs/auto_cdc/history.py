"""A key's events, put together from what the target shows and what the companion remembers.

A row of the target says two things: something began at `__START_AT`, and something ended it at `__END_AT`: a delete,
unless another row begins there.
"""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType
from pyspark.sql.window import Window

from spark_jobs.auto_cdc.columns import column, comparable, conformed_fields
from spark_jobs.auto_cdc.event_log import REMEMBERED, events_in, is_part
from spark_jobs.auto_cdc.merge import keys_within
from spark_jobs.auto_cdc.pending import Pending, pending_events, since
from spark_jobs.auto_cdc.spec import DELETE, END_AT, KEY, ROW, SEQUENCE, START_AT, Spec
from spark_jobs.auto_cdc.tables import Tables
from spark_jobs.auto_cdc.ties import TIED

SHOWN = "__SHOWN"

_ORIGIN = "__ORIGIN"
_ENDED, _STARTED, _PENDING, _REMEMBERED = range(4)
"""Where it is known from that something happened."""


def not_over_before(pending: Pending) -> Column | None:
    """The target's rows that a pending event can concern: those that were still open when the first one happened."""
    bound = pending.summary.first_sequence
    if bound is None:
        return None
    end = column(END_AT, *bound.path)
    return end.isNull() | (end >= bound.least)


def events_of_touched_keys(spark: SparkSession, spec: Spec, tables: Tables, pending: Pending) -> DataFrame:
    """The events of the pending keys, one per sequence, from the first run that can change.

    Returns:
        `__KEY`, `__SEQUENCE`, `__DELETE`, `__ROW`; `__SHOWN`, what the target shows from this sequence on, if anything;
        `__TIED`, whether a pending event had a different one beside it.
    """
    new = pending_events(spark, tables, pending)
    # What an earlier event has said is shown, where a row shows exactly what its first event said.
    matters = since(pending.summary.first_sequence if spec.shows_every_event else None)
    old = _told(events_in(spark, tables, is_part(REMEMBERED) & matters), _REMEMBERED, tables=tables)
    shown = _shown(spark, spec, tables, pending).transform(_as_statements, tables=tables)
    known = old.unionByName(shown).join(new.select(KEY), KEY, "left_semi")
    both = known.unionByName(_told(new, _PENDING, tables=tables))
    relevant = both if spec.ignores_nulls else _from_first_affected(both)
    return relevant.transform(_one_per_sequence, spec=spec, tables=tables)


def _told(events: DataFrame, origin: int, *, tables: Tables) -> DataFrame:
    """What events have said."""
    nothing_shown = F.lit(None).cast(_shown_type(tables))
    return events.select(KEY, SEQUENCE, DELETE, ROW, F.lit(origin).alias(_ORIGIN), nothing_shown.alias(SHOWN))


def _shown_type(tables: Tables) -> StructType:
    return StructType().add(END_AT, tables.shape.sequence).add(ROW, tables.shape.row)


def _shown(spark: SparkSession, spec: Spec, tables: Tables, pending: Pending) -> DataFrame:
    """The target's rows, as far as Delta can tell which files hold none that matter."""
    shape = tables.shape
    target = spark.table(tables.target)
    for condition in (keys_within(pending), None if spec.ignores_nulls else not_over_before(pending)):
        target = target if condition is None else target.where(condition)
    return target.select(
        F.struct(*conformed_fields(column, tables.target_schema, shape.key)).alias(KEY),
        F.col(START_AT).cast(shape.sequence).alias(START_AT),
        F.col(END_AT).cast(shape.sequence).alias(END_AT),
        F.struct(*conformed_fields(column, tables.target_schema, shape.row)).alias(ROW),
    )


def _as_statements(rows: DataFrame, *, tables: Tables) -> DataFrame:
    """What the target's rows say: each that something started, and, unless it is open, that something ended it."""
    nothing = F.lit(None)
    started = _statement(START_AT, F.lit(False), F.col(ROW), _STARTED, F.struct(END_AT, ROW))
    ended = _statement(END_AT, F.lit(True), nothing.cast(tables.shape.row), _ENDED, nothing.cast(_shown_type(tables)))
    statements = rows.select(KEY, F.explode(F.array(started, ended)).alias("said"))
    return statements.select(KEY, "said.*").where(F.col(SEQUENCE).isNotNull())


def _statement(sequence: str, deletes: Column, row: Column, origin: int, shown: Column) -> Column:
    return F.struct(
        F.col(sequence).alias(SEQUENCE),
        deletes.alias(DELETE),
        row.alias(ROW),
        F.lit(origin).alias(_ORIGIN),
        shown.alias(SHOWN),
    )


def _from_first_affected(events: DataFrame) -> DataFrame:
    """Leaves out what was over before the first pending event: no row of that time can change."""
    of_key = Window.partitionBy(KEY)
    first = F.min(F.when(F.col(_ORIGIN) == _PENDING, F.col(SEQUENCE))).over(of_key)
    still_open = F.col(SHOWN).getField(END_AT).isNull() | (F.col(SHOWN).getField(END_AT) >= F.col("first"))
    start = F.min(F.when((F.col(_ORIGIN) == _STARTED) & still_open, F.col(SEQUENCE))).over(of_key)
    with_start = events.withColumn("first", first).withColumn("start", start)
    return with_start.where(F.col(SEQUENCE) >= F.least("first", "start"))


def _one_per_sequence(events: DataFrame, *, spec: Spec, tables: Tables) -> DataFrame:
    """Chooses among the events of one sequence: a delete wins, else the greatest values."""
    origin = F.col(_ORIGIN)
    said = F.struct(F.col(DELETE), F.col(ROW))
    order = F.struct(F.col(DELETE), comparable(F.col(ROW), tables.shape.row).alias(ROW))
    is_true = origin >= (_STARTED if spec.shows_every_event else _PENDING)
    grouped = events.groupBy(KEY, SEQUENCE).agg(
        F.max_by(said, F.when(is_true, order)).alias("true"),
        F.max_by(said, F.when(origin >= _STARTED, order)).alias("best"),
        (F.bool_or(origin == _ENDED) & ~F.bool_or(origin == _STARTED)).alias("deleted"),
        F.first(SHOWN, ignorenulls=True).alias(SHOWN),
        F.bool_or(origin == _PENDING).alias("pending"),
        F.min(F.when(is_true, order)).alias("least"),
        F.max(F.when(is_true, order)).alias("greatest"),
    )
    delete = F.struct(F.lit(True).alias(DELETE), F.lit(None).cast(tables.shape.row).alias(ROW))
    # Where a row can show something else than its first event said, it counts only where no event is remembered.
    winner = F.when(F.col("deleted"), delete).otherwise(F.coalesce(F.col("true"), F.col("best")))
    contested = (F.col("least") < F.col("greatest")) | (F.col("deleted") & ~F.col("least").getField(DELETE))
    tied = F.coalesce(F.col("pending") & contested, F.lit(False))
    chosen = grouped.select(KEY, SEQUENCE, winner.alias("said"), SHOWN, tied.alias(TIED))
    return chosen.select(KEY, SEQUENCE, "said.*", SHOWN, TIED)
