"""Type 1: a key's row is what its latest event says.

Where all pending events are later than all that is remembered, they alone decide: the target's rows are of earlier
events, or of these very ones where a call was killed before it dropped them. Only otherwise memory is read, and of it
only what is as late as the first pending event: whatever is earlier has lost already.

The first is found out before the MERGE, and is still true when the MERGE reads, or the MERGE fails, or it has nothing
to do. For what another call has logged since

- is pending when the MERGE reads, which then fails, and this call looks again; or
- has been dropped after it was applied by a call that looked later than this one, and so has found, applied and dropped
  this one's events too.

Delta lets the MERGE read the companion after the state of the target that it changes, and fails it where another has
changed the same rows since.
"""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType
from pyspark.sql.window import Window

from spark_jobs.auto_cdc.columns import column, comparable, conformed_fields, folded_fields
from spark_jobs.auto_cdc.event_log import REMEMBERED, TRUNCATES, events_in, is_part
from spark_jobs.auto_cdc.merge import ACTION, DROP, PUT, keys_match, merge_into_target
from spark_jobs.auto_cdc.pending import Pending, pending_events, since
from spark_jobs.auto_cdc.spec import DELETE, KEY, ROW, SEQUENCE, Spec
from spark_jobs.auto_cdc.tables import Tables
from spark_jobs.auto_cdc.ties import TIED, TieWatch

_IS_PENDING = "__IS_PENDING"
_TRUNCATED_AT = "__TRUNCATED_AT"


def decisive(batch: DataFrame, *, spec: Spec, row: StructType, ties: TieWatch) -> DataFrame:
    """A batch's events that can matter: one per key and sequence, and where nulls are not ignored one per key."""
    of_sequences = ties.over(one_per_sequence(batch, row=row, is_pending=F.lit(True)))
    if spec.ignores_nulls:
        return of_sequences
    said = F.struct(SEQUENCE, DELETE, ROW)
    return of_sequences.groupBy(KEY).agg(F.max_by(said, SEQUENCE).alias("said")).select(KEY, "said.*")


def apply_pending(spark: SparkSession, spec: Spec, tables: Tables, pending: Pending) -> None:
    """Brings the target's rows of the pending keys up to date; all rows where the table was truncated."""
    if pending.only_later and not pending.summary.truncates and not spec.ignores_nulls:
        _merge(pending_events(spark, tables, pending), tables, pending, differs=F.lit(True))
    else:
        _apply_with_memory(spark, spec, tables, pending)


def _apply_with_memory(spark: SparkSession, spec: Spec, tables: Tables, pending: Pending) -> None:
    ties = TieWatch()
    shape = tables.shape
    told = not_truncated(_told(spark, spec, tables, pending), events_in(spark, tables, is_part(TRUNCATES)))
    events = ties.over(one_per_sequence(told, row=shape.row, is_pending=F.col(_IS_PENDING)))
    rows = folded_rows(events, row=shape.row) if spec.ignores_nulls else _latest_rows(events)
    if not pending.summary.truncates:
        # What was decided by an event of an earlier call is in the target already.
        rows = rows.where(_IS_PENDING)
    current = F.struct(*conformed_fields(column, tables.target_schema, shape.row))
    differs = ~comparable(current, shape.row).eqNullSafe(comparable(F.col(ROW), shape.row))
    _merge(rows, tables, pending, differs=differs)
    ties.warn(tables.target)


def _merge(rows: DataFrame, tables: Tables, pending: Pending, *, differs: Column) -> None:
    merge_into_target(
        rows.select(KEY, ROW, F.when(F.col(DELETE), DROP).otherwise(PUT).alias(ACTION)),
        tables,
        matches=keys_match(tables, pending),
        differs=differs,
        values={name: column(ROW, name) for name in tables.shape.row.names},
        schema=tables.shape.row,
        empties=pending.summary.truncates,
    )


def _told(spark: SparkSession, spec: Spec, tables: Tables, pending: Pending) -> DataFrame:
    """What the pending events and those before them say of the pending keys; of all where the table is truncated."""
    needs_all = spec.ignores_nulls or pending.summary.truncates
    matters = since(None if needs_all else pending.summary.first_sequence)
    new = pending_events(spark, tables, pending).where(F.col(KEY).isNotNull())
    old = events_in(spark, tables, is_part(REMEMBERED) & matters)
    if not pending.summary.truncates:
        old = old.join(new.select(KEY), KEY, "left_semi")
    return new.withColumn(_IS_PENDING, F.lit(True)).unionByName(old.withColumn(_IS_PENDING, F.lit(False)))


def not_truncated(events: DataFrame, truncates: DataFrame) -> DataFrame:
    """Leaves out what a truncate has made void."""
    truncated_at = truncates.agg(F.max(SEQUENCE).alias(_TRUNCATED_AT))
    is_void = F.coalesce(F.col(SEQUENCE) < F.col(_TRUNCATED_AT), F.lit(False))
    return events.crossJoin(F.broadcast(truncated_at)).where(~is_void)


def one_per_sequence(events: DataFrame, *, row: StructType, is_pending: Column) -> DataFrame:
    """Chooses among the events of one sequence: a delete wins, else the greatest values."""
    said = F.struct(DELETE, ROW)
    order = F.struct(F.col(DELETE), comparable(F.col(ROW), row).alias(ROW))
    is_new = F.bool_or(is_pending)
    # One exchange by key serves this grouping and the next.
    winners = (
        events.repartition(KEY)
        .groupBy(KEY, SEQUENCE)
        .agg(
            F.max_by(said, order).alias("said"),
            is_new.alias(_IS_PENDING),
            (is_new & (F.min(order) < F.max(order))).alias(TIED),
        )
    )
    return winners.select(KEY, SEQUENCE, "said.*", _IS_PENDING, TIED)


def _latest_rows(events: DataFrame) -> DataFrame:
    latest = events.groupBy(KEY).agg(F.max_by(F.struct(DELETE, ROW, _IS_PENDING), SEQUENCE).alias("said"))
    return latest.select(KEY, "said.*")


def folded_rows(events: DataFrame, *, row: StructType) -> DataFrame:
    """What a key's events since its last delete say together."""
    deleted_at = F.max(F.when(F.col(DELETE), F.col(SEQUENCE))).over(Window.partitionBy(KEY))
    since_delete = F.col("since").isNull() | (F.col(SEQUENCE) >= F.col("since"))
    fields = folded_fields(F.col(ROW), row, lambda leaf: F.max_by(leaf, F.when(leaf.isNotNull(), F.col(SEQUENCE))))
    alive = events.withColumn("since", deleted_at).where(since_delete)
    folded = alive.groupBy(KEY).agg(
        F.max(SEQUENCE).alias(SEQUENCE), F.bool_and(DELETE).alias(DELETE), F.struct(*fields).alias(ROW)
    )
    return folded.withColumn(_IS_PENDING, F.lit(True))
