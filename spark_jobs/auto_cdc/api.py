"""The public function: arguments checked, then the steps in their order."""

from collections.abc import Sequence
from typing import Literal

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.auto_cdc.columns import column
from spark_jobs.auto_cdc.errors import SpecificationError
from spark_jobs.auto_cdc.flow import apply
from spark_jobs.auto_cdc.spec import Choice, Spec, has_name


def apply_changes(
    spark: SparkSession,  # noqa: ARG001 - what Databricks' signature has; see below
    *,
    target: str,
    source: DataFrame,
    keys: Sequence[str],
    sequence_by: str | Column,
    apply_as_deletes: str | Column | None = None,
    apply_as_truncates: str | Column | None = None,
    ignore_null_updates: bool = False,
    column_list: Sequence[str] | None = None,
    except_column_list: Sequence[str] | None = None,
    stored_as_scd_type: Literal[1, 2] = 1,
    track_history_column_list: Sequence[str] | None = None,
    track_history_except_column_list: Sequence[str] | None = None,
) -> None:
    """Applies one batch of change events to a Delta table.

    The table is a function of the set of events that it has been given: their order, how they are cut into calls and
    how often they are repeated make no difference. A call that was killed can be repeated. See
    docs/change-data-capture.md.

    Args:
        spark: The session. Statements run in the source's own, which inside `foreachBatch` is the stream's.
        target: Name of the table; created on the first call.
        source: The events.
        keys: Columns that identify what a row is about.
        sequence_by: Column or expression, of any type that can be ordered, that orders the events of a key.
        apply_as_deletes: Condition under which an event deletes its key.
        apply_as_truncates: Condition under which an event empties the table; type 1 only.
        ignore_null_updates: Whether a null keeps what was said before, for each column and nested field on its own.
        column_list: The source's columns that the target has; all by default.
        except_column_list: The source's columns that the target doesn't have.
        stored_as_scd_type: 1 keeps the latest row of each key; 2 keeps every version, with `__START_AT` and `__END_AT`.
        track_history_column_list: Columns whose change opens a new version; all by default; type 2 only.
        track_history_except_column_list: Columns whose change opens no new version; type 2 only.

    Raises:
        SpecificationError: The arguments contradict each other, or name columns that don't exist.
        TargetError: The existing target has other keys or is of the other type.
        SchemaError: A column's type in source and target can't be brought together without loss.
        RejectedBatchError: An event has a null key or sequence. Nothing of the batch is applied.
        ConcurrentCallError: Other calls kept changing the target. Repeat the call.
    """
    _check(keys, stored_as_scd_type, apply_as_truncates, track_history_column_list, track_history_except_column_list)
    spec = Spec(
        target=target,
        keys=tuple(keys),
        sequence_by=_expression(sequence_by, source),
        deletes=_condition(apply_as_deletes, source),
        truncates=_condition(apply_as_truncates, source),
        ignores_nulls=ignore_null_updates,
        scd_type=stored_as_scd_type,
        kept=Choice.of("column_list and except_column_list", column_list, except_column_list),
        tracked=Choice.of(
            "track_history_column_list and track_history_except_column_list",
            track_history_column_list,
            track_history_except_column_list,
        ),
    )
    apply(spec, source)


def _check(keys: Sequence[str], scd_type: int, truncates: object, *track_history: object) -> None:
    if isinstance(keys, str) or not keys:
        raise SpecificationError(f"keys takes a list of at least one column name: found {keys!r}")
    if scd_type not in (1, 2):
        raise SpecificationError(f"stored_as_scd_type must be 1 or 2: found {scd_type!r}")
    if scd_type == 1 and any(names is not None for names in track_history):
        raise SpecificationError("track_history_* choose what opens a version: they need stored_as_scd_type=2, found 1")
    if scd_type != 1 and truncates is not None:
        raise SpecificationError(
            "apply_as_truncates needs stored_as_scd_type=1, found 2: use apply_as_deletes, or type 1"
        )


def _expression(text: str | Column, source: DataFrame) -> Column:
    if not isinstance(text, str):
        return text
    return column(text) if has_name(source.columns, text) else F.expr(text)


def _condition(text: str | Column | None, source: DataFrame) -> Column:
    if text is None:
        return F.lit(False)
    return F.coalesce(_expression(text, source), F.lit(False))
