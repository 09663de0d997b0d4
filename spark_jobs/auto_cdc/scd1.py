"""Type 1: a key's row is what its latest event says."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from spark_jobs.auto_cdc.columns import column, comparable, conformed_fields, folded_fields
from spark_jobs.auto_cdc.companion import PENDING, REMEMBERED, TRUNCATES, Pending, events_in
from spark_jobs.auto_cdc.merge import ACTION, DROP, PUT, keys_match, merge_into_target
from spark_jobs.auto_cdc.spec import DELETE, KEY, PART, ROW, SEQUENCE, Spec
from spark_jobs.auto_cdc.tables import Shape, Tables
from spark_jobs.auto_cdc.ties import TIED, TieWatch

_TRUNCATED_AT = "__TRUNCATED_AT"


def apply_pending(spark: SparkSession, spec: Spec, tables: Tables, pending: Pending) -> None:
    """Brings the target's rows of the pending keys up to date; all rows where the table was truncated."""
    ties = TieWatch()
    events = _relevant_events(spark, tables, pending).transform(_one_per_sequence, shape=tables.shape)
    latest = ties.over(events).transform(_folded_rows if spec.ignores_nulls else _latest_rows, shape=tables.shape)
    changes = latest.withColumn(ACTION, F.when(F.col(DELETE), DROP).otherwise(PUT))
    shape = tables.shape
    current = F.struct(*conformed_fields(column, tables.target_schema, shape.row))
    merge_into_target(
        changes,
        tables,
        matches=keys_match(tables, pending),
        differs=~comparable(current, shape.row).eqNullSafe(comparable(F.col(ROW), shape.row)),
        values={name: column(ROW, name) for name in shape.row.names},
        schema=shape.row,
        empties=pending.truncates,
    )
    ties.warn(tables.target)


def _relevant_events(spark: SparkSession, tables: Tables, pending: Pending) -> DataFrame:
    """All that is known of the pending keys, but for what a truncate has made void."""
    known = events_in(spark, tables, [REMEMBERED, *pending.calls]).where(F.col(KEY).isNotNull())
    if not pending.truncates:
        known = known.join(events_in(spark, tables, pending.calls).select(KEY), KEY, "left_semi")
    if not pending.truncated:
        return known
    truncated_at = events_in(spark, tables, [TRUNCATES]).agg(F.max(SEQUENCE).alias(_TRUNCATED_AT))
    return known.crossJoin(F.broadcast(truncated_at)).where(F.col(SEQUENCE) >= F.col(_TRUNCATED_AT))


def _one_per_sequence(events: DataFrame, *, shape: Shape) -> DataFrame:
    said = F.struct(DELETE, ROW)
    order = F.struct(F.col(DELETE), comparable(F.col(ROW), shape.row).alias(ROW))
    is_pending = F.col(PART).startswith(PENDING)
    # One exchange by key serves this grouping and the next.
    winners = (
        events.repartition(KEY)
        .groupBy(KEY, SEQUENCE)
        .agg(F.max_by(said, order).alias("said"), (F.bool_or(is_pending) & (F.min(order) < F.max(order))).alias(TIED))
    )
    return winners.select(KEY, SEQUENCE, "said.*", TIED)


def _latest_rows(events: DataFrame, *, shape: Shape) -> DataFrame:  # noqa: ARG001 - one of two alike
    latest = events.groupBy(KEY).agg(F.max_by(F.struct(DELETE, ROW), SEQUENCE).alias("said"))
    return latest.select(KEY, "said.*")


def _folded_rows(events: DataFrame, *, shape: Shape) -> DataFrame:
    """What a key's events since its last delete say together."""
    deleted_at = F.max(F.when(F.col(DELETE), F.col(SEQUENCE))).over(Window.partitionBy(KEY))
    since = events.withColumn("since", deleted_at).where(F.col("since").isNull() | (F.col(SEQUENCE) >= F.col("since")))
    row = folded_fields(F.col(ROW), shape.row, lambda leaf: F.max_by(leaf, F.when(leaf.isNotNull(), F.col(SEQUENCE))))
    return since.groupBy(KEY).agg(F.bool_and(DELETE).alias(DELETE), F.struct(*row).alias(ROW))
