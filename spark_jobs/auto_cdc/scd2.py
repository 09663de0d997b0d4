"""Type 2: a key's rows are the runs of its events, each from its first event to the one that ended it."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.window import Window, WindowSpec

from spark_jobs.auto_cdc.columns import column, comparable, folded_fields
from spark_jobs.auto_cdc.history import SHOWN, events_of_touched_keys, not_over_before
from spark_jobs.auto_cdc.merge import ACTION, DROP, PUT, keys_match, merge_into_target
from spark_jobs.auto_cdc.pending import Pending
from spark_jobs.auto_cdc.shape import Shape
from spark_jobs.auto_cdc.spec import DELETE, END_AT, KEY, ROW, SEQUENCE, START_AT, Spec
from spark_jobs.auto_cdc.tables import Tables
from spark_jobs.auto_cdc.ties import TieWatch

_STARTS = "__STARTS"
_SAYS = "__SAYS"
_ENDS = "__ENDS"


def apply_pending(spark: SparkSession, spec: Spec, tables: Tables, pending: Pending) -> None:
    """Brings the target's rows of the pending keys up to date."""
    ties = TieWatch()
    events = ties.over(events_of_touched_keys(spark, spec, tables, pending))
    changes = events.transform(_with_runs, spec=spec, shape=tables.shape).transform(_changes, shape=tables.shape)
    shape = tables.shape
    matches = keys_match(tables, pending) & (column(START_AT) == F.col(SEQUENCE))
    still_open = None if spec.ignores_nulls else not_over_before(pending)
    merge_into_target(
        changes,
        tables,
        matches=matches if still_open is None else matches & still_open,
        differs=F.lit(True),
        values={name: column(ROW, name) for name in shape.row.names}
        | {START_AT: F.col(SEQUENCE), END_AT: F.col(_ENDS)},
        schema=shape.target_schema(spec),
    )
    ties.warn(tables.target)


def _with_runs(events: DataFrame, *, spec: Spec, shape: Shape) -> DataFrame:
    """Finds where a run starts, what its row says and what ends it."""
    ordered = Window.partitionBy(KEY).orderBy(SEQUENCE)
    backwards = Window.partitionBy(KEY).orderBy(F.col(SEQUENCE).desc())
    said = events.transform(_with_what_it_says, spec=spec, shape=shape)
    tracked = _tracked(spec, shape)
    nothing_before = F.coalesce(F.lag(DELETE).over(ordered), F.lit(True))
    changed = ~F.lag(tracked).over(ordered).eqNullSafe(tracked)
    runs = said.withColumn(_STARTS, ~F.col(DELETE) & (nothing_before | changed))
    ends_one = F.col(DELETE) | F.col(_STARTS)
    end = F.min(F.when(ends_one, F.col(SEQUENCE))).over(backwards.rowsBetween(Window.unboundedPreceding, -1))
    bounded = runs.withColumn(_ENDS, end)
    return bounded if spec.tracked.is_everything else bounded.transform(_with_last_of_run, ordered=ordered)


def _with_what_it_says(events: DataFrame, *, spec: Spec, shape: Shape) -> DataFrame:
    """The row that an event says, with what it leaves unsaid taken from the events since the last delete."""
    if not spec.ignores_nulls:
        return events.withColumn(_SAYS, F.col(ROW))
    deletes = F.count_if(F.col(DELETE)).over(Window.partitionBy(KEY).orderBy(SEQUENCE))
    since_delete = Window.partitionBy(KEY, "__EPOCH").orderBy(SEQUENCE)
    so_far = since_delete.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    row = folded_fields(F.col(ROW), shape.row, lambda leaf: F.last(leaf, ignorenulls=True).over(so_far))
    return events.withColumn("__EPOCH", deletes).withColumn(_SAYS, F.when(~F.col(DELETE), F.struct(*row)))


def _tracked(spec: Spec, shape: Shape) -> Column:
    if spec.tracked.is_everything:
        return comparable(F.col(_SAYS), shape.row)
    fields = [field for field in shape.row.fields if spec.tracked.picks(field.name)]
    return F.struct(F.lit(0), *[comparable(column(_SAYS, f.name), f.dataType).alias(f.name) for f in fields])


def _with_last_of_run(events: DataFrame, *, ordered: WindowSpec) -> DataFrame:
    """Untracked columns show the run's latest."""
    run = F.count_if(F.col(DELETE) | F.col(_STARTS)).over(ordered)
    backwards = Window.partitionBy(KEY, "__RUN").orderBy(F.col(SEQUENCE).desc())
    latest = F.first(_SAYS).over(backwards.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    return events.withColumn("__RUN", run).withColumn(_SAYS, latest)


def _changes(events: DataFrame, *, shape: Shape) -> DataFrame:
    """What differs between the runs and the target's rows."""
    shown = F.col(SHOWN)
    same = shown.getField(END_AT).eqNullSafe(F.col(_ENDS)) & comparable(shown.getField(ROW), shape.row).eqNullSafe(
        comparable(F.col(_SAYS), shape.row)
    )
    action = F.when(F.col(_STARTS) & (shown.isNull() | ~same), F.lit(PUT)).when(
        ~F.col(_STARTS) & shown.isNotNull(), F.lit(DROP)
    )
    changes = events.select(KEY, SEQUENCE, _ENDS, F.col(_SAYS).alias(ROW), action.alias(ACTION))
    return changes.where(F.col(ACTION).isNotNull())
