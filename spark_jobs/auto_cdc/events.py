"""The source's rows as events: key, sequence, whether it deletes or truncates, and the row that it says."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructType

from spark_jobs.auto_cdc.columns import column, conformed, conformed_fields
from spark_jobs.auto_cdc.errors import RejectedBatchError
from spark_jobs.auto_cdc.shape import Shape
from spark_jobs.auto_cdc.spec import DELETE, KEY, ROW, SEQUENCE, Spec

REJECTED = "AUTO_CDC_REJECTED"

_TRUNCATE = "__TRUNCATE"


def kept_columns(source: DataFrame, spec: Spec) -> StructType:
    return StructType([field for field in source.schema.fields if spec.kept.picks(field.name)])


def sequence_type(source: DataFrame, spec: Spec) -> DataType:
    return source.select(spec.sequence_by.alias(SEQUENCE)).schema[SEQUENCE].dataType


def as_events(source: DataFrame, spec: Spec, shape: Shape) -> DataFrame:
    """Reads the source as events of the target's shape; writing them fails where a key or a sequence is null.

    Only an event that empties the table has no key.
    """
    row = F.struct(*conformed_fields(column, kept_columns(source, spec), shape.row))
    key = F.struct(*conformed_fields(column, source.schema, shape.key))
    sequence = conformed(spec.sequence_by, sequence_type(source, spec), shape.sequence)
    read = source.select(
        spec.truncates.alias(_TRUNCATE),
        spec.deletes.alias(DELETE),
        sequence.alias(SEQUENCE),
        key.alias(KEY),
        row.alias(ROW),
    )
    truncates, deletes = F.col(_TRUNCATE), F.col(DELETE) & ~F.col(_TRUNCATE)
    return read.select(
        F.when(~truncates, _guarded(F.col(KEY), _key_is_null(shape), "key")).alias(KEY),
        _guarded(F.col(SEQUENCE), _is_missing(F.col(SEQUENCE), shape.sequence), "sequence").alias(SEQUENCE),
        deletes.alias(DELETE),
        F.when(~deletes & ~truncates, F.col(ROW)).alias(ROW),
    )


def require_complete(source: DataFrame, spec: Spec) -> None:
    """Raises RejectedBatchError, saying how many events lack what, when an event has a null key or sequence."""
    needs_key = ~spec.truncates
    checks = {f"key column {name}": needs_key & column(name).isNull() for name in spec.keys}
    checks["sequence_by"] = _is_missing(spec.sequence_by, sequence_type(source, spec))
    counts = source.select(*[F.count_if(check).alias(what) for what, check in checks.items()]).collect()[0]
    faults = [f"{count} with a null {what}" for what, count in counts.asDict().items() if count]
    if faults:
        raise RejectedBatchError(
            f"every event needs a key and a sequence, and the batch for {spec.target} has {' and '.join(faults)}: "
            f"nothing of it was applied, filter those events out or repair them"
        )


def _guarded(value: Column, is_missing: Column, what: str) -> Column:
    # Checked while the events are written, so that a good batch costs no query of its own.
    return F.when(is_missing, F.raise_error(F.lit(f"{REJECTED}: null {what}"))).otherwise(value)


def _key_is_null(shape: Shape) -> Column:
    nulls = [column(KEY, name).isNull() for name in shape.key.names]
    return F.greatest(*nulls, F.lit(False))


def _is_missing(value: Column, kind: DataType) -> Column:
    """Null, or a struct in which every field is."""
    if not isinstance(kind, StructType):
        return value.isNull()
    missing = [_is_missing(value.getField(field.name), field.dataType) for field in kind.fields]
    return value.isNull() | F.least(*missing, F.lit(True))
