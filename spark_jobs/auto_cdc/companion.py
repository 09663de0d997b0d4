"""What is remembered: the events of unfinished calls, and what the target doesn't show of finished ones.

Each row is an event that a source really had. `__PART` says why it is kept:

- `pending-<call>`: a call has begun, and its events may or may not be in the target yet;
- `remembered`: the target doesn't show it and a later call may need it;
- `truncates`: the target was emptied of what came before.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.auto_cdc.bounds import Bound, bounds_of, leading_field
from spark_jobs.auto_cdc.columns import conformed, quoted
from spark_jobs.auto_cdc.ddl import literal
from spark_jobs.auto_cdc.events import TRUNCATE
from spark_jobs.auto_cdc.spec import DELETE, KEY, PART, ROW, SEQUENCE, Spec
from spark_jobs.auto_cdc.tables import Tables

PENDING = "pending-"
REMEMBERED = "remembered"
TRUNCATES = "truncates"
_COLUMNS = (KEY, SEQUENCE, DELETE, ROW, PART)


@dataclass(frozen=True)
class Pending:
    """The calls whose events may not be in the target yet, this one among them.

    Attributes:
        calls: Their parts of the companion.
        truncates: Whether one of them empties the table.
        truncated: Whether this or an earlier call has emptied it, so that what is older is void.
        first_sequence: No pending event is earlier; none where the type can't be compared with a literal.
        keys: Between which values the keys lie, where that is known.
    """

    calls: tuple[str, ...]
    truncates: bool
    truncated: bool
    first_sequence: Bound | None
    keys: tuple[Bound, ...]


def log_events(events: DataFrame, spec: Spec, tables: Tables) -> None:
    """Writes a call's events down, in one commit: from here on the call takes effect, if need be with the next one.

    Type 1 needs all of them remembered anyway, so that they get their second copy at once.
    """
    call = F.lit(f"{PENDING}{uuid.uuid4()}")
    copies = F.array(call)
    if spec.scd_type == 1:
        copies = F.array(call, F.when(F.col(TRUNCATE), F.lit(TRUNCATES)).otherwise(F.lit(REMEMBERED)))
    append(events.withColumn(PART, F.explode(copies)), tables)


def append(events: DataFrame, tables: Tables) -> None:
    frame = events.select(*_COLUMNS)
    frame.write.format("delta").mode("append").option("mergeSchema", "true").saveAsTable(tables.companion)


def read_pending(spark: SparkSession, tables: Tables) -> Pending | None:
    """Sums up what is pending; none where no call has left an event."""
    shape = tables.shape
    sequence = leading_field((SEQUENCE,), shape.sequence)
    key_fields = [leading_field((KEY, field.name), field.dataType) for field in shape.key.fields]
    bounds = [field for field in (sequence, *key_fields) if field]
    is_pending = F.col(PART).startswith(PENDING)
    unfinished = spark.table(tables.companion).where(is_pending | (F.col(PART) == TRUNCATES))
    summary = unfinished.agg(
        F.collect_set(F.when(is_pending, F.col(PART))).alias("calls"),
        F.bool_or(is_pending & F.col(KEY).isNull()).alias("truncates"),
        F.bool_or(~is_pending).alias("truncated"),
        *[bound for field in bounds for bound in field.aggregates(is_pending)],
    ).collect()[0]
    if not summary["calls"]:
        return None
    return Pending(
        calls=tuple(sorted(summary["calls"])),
        truncates=summary["truncates"],
        truncated=summary["truncated"],
        first_sequence=bounds_of(sequence, summary),
        keys=tuple(bound for field in key_fields if (bound := bounds_of(field, summary))),
    )


def events_in(spark: SparkSession, tables: Tables, parts: Sequence[str]) -> DataFrame:
    """The events kept for these reasons, their rows in the call's shape."""
    companion = spark.table(tables.companion)
    row = conformed(F.col(ROW), companion.schema[ROW].dataType, tables.shape.row)
    return companion.where(F.col(PART).isin(*parts)).withColumn(ROW, row).select(*_COLUMNS)


def forget_pending(spark: SparkSession, tables: Tables, pending: Pending) -> None:
    """Drops the pending events; a whole partition goes at a time, so that no file is read or written."""
    calls = ", ".join(literal(call) for call in pending.calls)
    spark.sql(f"DELETE FROM {tables.companion} WHERE {quoted(PART)} IN ({calls})")
