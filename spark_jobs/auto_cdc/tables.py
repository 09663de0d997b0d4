"""Target and companion: found, created or adopted, and made fit for the call's columns."""

from dataclasses import dataclass, replace

from pyspark.sql import SparkSession
from pyspark.sql.types import DataType, StructType

from spark_jobs.auto_cdc.companion import STATISTICS, companion_location, companion_name, companion_of, new_companion
from spark_jobs.auto_cdc.ddl import Definition, add_columns, create_table, set_properties, widen_columns
from spark_jobs.auto_cdc.errors import TargetError
from spark_jobs.auto_cdc.properties import ID, record_habits, require_same_kind
from spark_jobs.auto_cdc.schema import Addition, inner_additions, widenings
from spark_jobs.auto_cdc.shape import Shape, shape_of
from spark_jobs.auto_cdc.spec import END_AT, START_AT, Spec, has_name

# A change rewrites the rows that it touches, not the files that they lie in.
_TARGET_DEFAULTS = {"delta.enableDeletionVectors": "true"}


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


def _created(spark: SparkSession, spec: Spec, shape: Shape) -> Tables:
    # The companion first: a target that carries an id has a companion, wherever a call was killed.
    properties = new_companion(spark, spec, shape)
    target = Definition(spec.target, shape.target_schema(spec), _TARGET_DEFAULTS | properties)
    create_table(spark, target)
    return Tables(target.name, target.schema, companion_name(target.name), shape)


def _adopted(spark: SparkSession, spec: Spec, target: Definition, shape: Shape) -> Tables:
    """Takes over a table that no call has written; what it holds counts as older than any event."""
    properties = new_companion(spark, spec, shape, companion_location(spark, target.name))
    if spec.scd_type != 1 and START_AT not in target.schema.names:
        _require_empty(spark, target.name)
        add_columns(spark, target.name, [Addition((name,), shape.sequence) for name in (START_AT, END_AT)])
        target = replace(target, schema=spark.table(target.name).schema)
    schema = _grown(spark, target, shape.target_schema(spec))
    missing = {name: value for name, value in _TARGET_DEFAULTS.items() if name not in target.properties}
    set_properties(spark, target.name, missing | properties)
    return Tables(target.name, schema, companion_name(target.name), shape, _logs_keys(spec, target))


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


def _logs_keys(spec: Spec, target: Definition) -> bool:
    listed = target.properties.get(STATISTICS)
    return listed is None or all(has_name(listed.replace("`", "").split(","), name) for name in spec.keys)


def _require_empty(spark: SparkSession, name: str) -> None:
    if not spark.table(name).isEmpty():
        raise TargetError(
            f"{name} must have the columns {START_AT} and {END_AT} to become type 2, or be empty: found rows without "
            f"them, choose another target"
        )
