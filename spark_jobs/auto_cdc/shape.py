"""The types that a call works with, of which target and companion are made."""

from dataclasses import dataclass

from pyspark.sql.types import BooleanType, DataType, StringType, StructField, StructType, TimestampType

from spark_jobs.auto_cdc.ddl import Definition
from spark_jobs.auto_cdc.schema import merged_struct, merged_type
from spark_jobs.auto_cdc.spec import DELETE, END_AT, KEY, LOGGED_AT, PART, ROW, SEQUENCE, START_AT, Spec


@dataclass(frozen=True)
class Shape:
    """The types that a call works with.

    Attributes:
        row: The user's columns.
        key: The key columns among them.
        sequence: What orders the events.
    """

    row: StructType
    key: StructType
    sequence: DataType

    def target_schema(self, spec: Spec) -> StructType:
        if spec.scd_type == 1:
            return self.row
        return StructType(self.row.fields + [StructField(name, self.sequence) for name in (START_AT, END_AT)])

    def companion_schema(self) -> StructType:
        return StructType(
            [
                StructField(KEY, self.key),
                StructField(SEQUENCE, self.sequence),
                StructField(DELETE, BooleanType()),
                StructField(ROW, self.row),
                StructField(PART, StringType()),
                StructField(LOGGED_AT, TimestampType()),
            ]
        )


def shape_of(
    spec: Spec, target: Definition | None, companion: Definition | None, kept: StructType, sequence: DataType
) -> Shape:
    row = StructType([field for field in target.schema.fields if not _is_interval(spec, field)] if target else [])
    # A call that was killed may have left events with columns that the target doesn't have yet.
    remembered = _struct_within(companion, ROW)
    pending = StructType([field for field in remembered.fields if spec.kept.picks(field.name)])
    row = merged_struct(merged_struct(row, pending), kept)
    known = {field.name.lower(): field for field in row.fields}
    key = StructType([known[name.lower()] for name in spec.keys])
    for holder, name in ((target, START_AT), (companion, SEQUENCE)):
        if holder and name in holder.schema.names:
            sequence = merged_type(holder.schema[name].dataType, sequence, "sequence_by", grows=False)
    return Shape(row, key, sequence)


def _is_interval(spec: Spec, field: StructField) -> bool:
    return spec.scd_type != 1 and field.name in (START_AT, END_AT)


def _struct_within(table: Definition | None, name: str) -> StructType:
    kind = table.schema[name].dataType if table else StructType()
    assert isinstance(kind, StructType)  # noqa: S101 - the companion is ours
    return kind
