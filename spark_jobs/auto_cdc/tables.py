"""Target and companion: found, created or adopted, and made fit for the call's columns.

The companion remembers what the target doesn't show. It lies beside the target as `<target>__cdc`. Both carry the same
random id in their properties, so that a target that was dropped and created anew doesn't inherit the old one's memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pyspark.sql import SparkSession
from pyspark.sql.types import BooleanType, DataType, StringType, StructField, StructType, TimestampType

from spark_jobs.auto_cdc.bounds import leading_field
from spark_jobs.auto_cdc.columns import quoted
from spark_jobs.auto_cdc.ddl import (
    Definition,
    add_columns,
    create_table,
    find_table,
    register_table,
    set_properties,
    widen_columns,
)
from spark_jobs.auto_cdc.errors import TargetError
from spark_jobs.auto_cdc.properties import ID, own_properties, record_habits, require_same_kind
from spark_jobs.auto_cdc.schema import Addition, inner_additions, merged_struct, merged_type, widenings
from spark_jobs.auto_cdc.spec import DELETE, END_AT, KEY, LOGGED_AT, PART, ROW, SEQUENCE, START_AT, Spec, has_name

_SUFFIX = "__cdc"
# A change rewrites the rows that it touches, not the files that they lie in.
_TARGET_DEFAULTS = {"delta.enableDeletionVectors": "true"}
_STATISTICS = "delta.dataSkippingStatsColumns"
_COMPANION_DEFAULTS = {"delta.enableTypeWidening": "true"}


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


@dataclass(frozen=True)
class Tables:
    """The two tables of a call.

    Attributes:
        target: The target's name.
        target_schema: The target's columns as they are; the call's new columns come with its commit.
        companion: The companion's name.
        shape: The types that the call works with.
        skips_by_keys: Whether Delta's log has the target's least and greatest keys, so that bounds skip files.
    """

    target: str
    target_schema: StructType
    companion: str
    shape: Shape
    skips_by_keys: bool = True


def prepare_tables(
    spark: SparkSession, spec: Spec, target: Definition | None, kept: StructType, sequence: DataType
) -> Tables:
    """Finds or creates the tables.

    Args:
        spark: The session.
        spec: The call.
        target: The target, where there is one.
        kept: The source's columns that go into the target.
        sequence: The type of what orders the events.

    Raises:
        TargetError: The target has other keys or is of the other type, or its companion was lost.
        SchemaError: The source's columns can't become the target's.
    """
    if target is None:
        return _created(spark, spec, shape_of(spec, None, None, kept, sequence))
    require_same_kind(spec, target)
    if ID not in target.properties:
        return _adopted(spark, spec, target, shape_of(spec, target, None, kept, sequence))
    companion = companion_of(spark, target)
    shape = shape_of(spec, target, companion, kept, sequence)
    record_habits(spark, spec, target)
    widen_columns(spark, companion, widenings(companion.schema, shape.companion_schema()))
    schema = _grown(spark, target, shape.target_schema(spec))
    return Tables(target.name, schema, companion.name, shape, _logs_keys(spec, target))


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


def _created(spark: SparkSession, spec: Spec, shape: Shape) -> Tables:
    properties = own_properties(spec)
    companion = companion_name(spec.target)
    # The companion first: a target that carries an id has a companion, wherever a call was killed.
    _create_companion(spark, companion, shape, properties)
    target = Definition(spec.target, shape.target_schema(spec), _TARGET_DEFAULTS | properties)
    create_table(spark, target)
    return Tables(target.name, target.schema, companion, shape)


def _adopted(spark: SparkSession, spec: Spec, target: Definition, shape: Shape) -> Tables:
    """Takes over a table that no call has written; what it holds counts as older than any event."""
    properties = own_properties(spec)
    companion = companion_name(target.name)
    location = "" if _is_managed(spark, target.name) else _location(spark, target.name) + _SUFFIX
    _create_companion(spark, companion, shape, properties, location)
    if spec.scd_type != 1 and START_AT not in target.schema.names:
        _require_empty(spark, target.name)
        add_columns(spark, target.name, [Addition((name,), shape.sequence) for name in (START_AT, END_AT)])
        target = replace(target, schema=spark.table(target.name).schema)
    schema = _grown(spark, target, shape.target_schema(spec))
    missing = {name: value for name, value in _TARGET_DEFAULTS.items() if name not in target.properties}
    set_properties(spark, target.name, missing | properties)
    return Tables(target.name, schema, companion, shape, _logs_keys(spec, target))


def _grown(spark: SparkSession, table: Definition, wanted: StructType) -> StructType:
    """Makes the table's columns able to hold what is wanted; whole new columns come with the call's commit.

    Returns:
        The columns that the table has now; what was widened reads as either type.
    """
    widen_columns(spark, table, widenings(table.schema, wanted))
    additions = list(inner_additions(table.schema, wanted))
    if not additions:
        return table.schema
    add_columns(spark, table.name, additions)
    return spark.table(table.name).schema


def _create_companion(
    spark: SparkSession, name: str, shape: Shape, properties: Mapping[str, str], location: str = ""
) -> None:
    defaults = _COMPANION_DEFAULTS | {_STATISTICS: _skipped_by(shape)}
    companion = Definition(name, shape.companion_schema(), defaults | dict(properties))
    create_table(spark, companion, replace=True, partitioned_by=PART, location=location)


def _logs_keys(spec: Spec, target: Definition) -> bool:
    listed = target.properties.get(_STATISTICS)
    return listed is None or all(has_name(listed.replace("`", "").split(","), name) for name in spec.keys)


def _skipped_by(shape: Shape) -> str:
    """The column by which files are skipped: of others the log needs no values, which may be people's names."""
    leading = leading_field((SEQUENCE,), shape.sequence)
    return quoted(*leading.path) if leading else quoted(LOGGED_AT)


def companion_of(spark: SparkSession, target: Definition) -> Definition:
    name = companion_name(target.name)
    found = find_table(spark, name)
    if found is None and register_table(spark, name, _location(spark, target.name) + _SUFFIX):
        found = find_table(spark, name)
    if found is None or found.properties.get(ID) != target.properties[ID]:
        raise TargetError(
            f"{target.name} needs its companion {name}, which remembers what the target doesn't show, and "
            f"{'found none' if found is None else 'the one found belongs to another table'}: restore it, or make a "
            f"fresh start with ALTER TABLE {target.name} UNSET TBLPROPERTIES ('{ID}')"
        )
    return found


def find_companion(spark: SparkSession, target: str) -> str | None:
    """Name of the table that remembers a target's events; None where no call has written the target.

    Raises:
        TargetError: The companion was lost.
    """
    found = find_table(spark, target)
    return companion_of(spark, found).name if found is not None and ID in found.properties else None


def _require_empty(spark: SparkSession, name: str) -> None:
    if not spark.table(name).isEmpty():
        raise TargetError(
            f"{name} must have the columns {START_AT} and {END_AT} to become type 2, or be empty: found rows without "
            f"them, choose another target"
        )


def companion_name(target: str) -> str:
    return f"{target.rstrip('`/')}{_SUFFIX}`" if target.endswith("`") else f"{target}{_SUFFIX}"


def _is_managed(spark: SparkSession, name: str) -> bool:
    return not name.lower().startswith("delta.`") and spark.catalog.getTable(name).tableType == "MANAGED"


def _location(spark: SparkSession, name: str) -> str:
    detail = spark.sql(f"DESCRIBE DETAIL {name}").select("location").collect()
    return str(detail[0]["location"]).rstrip("/")
