"""The few statements that create and alter tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from spark_jobs.auto_cdc.schema import Addition, Widening
from spark_jobs.creation import create_delta_table, register_delta_table
from spark_jobs.existence import is_table_at, schema_if_exists
from spark_jobs.sql import listed, quoted

TYPE_WIDENING = {"delta.enableTypeWidening": "true"}


@dataclass(frozen=True)
class Definition:
    """A table as it stands."""

    name: str
    schema: StructType
    properties: Mapping[str, str] = field(default_factory=dict)


def find_table(spark: SparkSession, name: str) -> Definition | None:
    schema = schema_if_exists(lambda: spark.table(name)) if _known(spark, name) else None
    if schema is None:
        return None
    properties = spark.sql(f"SHOW TBLPROPERTIES {name}").collect()
    return Definition(name, schema, {row["key"]: row["value"] for row in properties})


def _known(spark: SparkSession, name: str) -> bool:
    # A table named by its path is in no catalog.
    return name.lower().startswith("delta.`") or spark.catalog.tableExists(name)


def create_table(
    spark: SparkSession,
    definition: Definition,
    *,
    replace: bool = False,
    partitioned_by: str = "",
    location: str = "",
) -> None:
    create_delta_table(
        spark,
        definition.name,
        {field.name: type_ddl(field.dataType) for field in definition.schema.fields},
        clause="CREATE OR REPLACE TABLE" if replace else "CREATE TABLE",
        partitioned_by=[partitioned_by] if partitioned_by else (),
        location=location,
        properties=definition.properties,
    )


def register_table(spark: SparkSession, name: str, location: str) -> bool:
    """Makes a table that lies at `location` known by name; false where there is none."""
    if not is_table_at(spark, location):
        return False
    register_delta_table(spark, name, location)
    return True


def set_properties(spark: SparkSession, name: str, properties: Mapping[str, str]) -> None:
    spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ({listed(properties)})")


def add_columns(spark: SparkSession, name: str, additions: Iterable[Addition]) -> None:
    added = ", ".join(f"{quoted(*addition.path)} {type_ddl(addition.kind)}" for addition in additions)
    spark.sql(f"ALTER TABLE {name} ADD COLUMNS ({added})")


def widen_columns(spark: SparkSession, table: Definition, widenings: Iterable[Widening]) -> None:
    for position, widening in enumerate(widenings):
        if position == 0 and not TYPE_WIDENING.items() <= table.properties.items():
            set_properties(spark, table.name, TYPE_WIDENING)
        path, kind = quoted(*widening.path), type_ddl(widening.kind)
        spark.sql(f"ALTER TABLE {table.name} ALTER COLUMN {path} TYPE {kind}")


def type_ddl(kind: DataType) -> str:
    match kind:
        case StructType():
            return f"struct<{', '.join(f'{quoted(f.name)}: {type_ddl(f.dataType)}' for f in kind.fields)}>"
        case ArrayType():
            return f"array<{type_ddl(kind.elementType)}>"
        case MapType():
            return f"map<{type_ddl(kind.keyType)}, {type_ddl(kind.valueType)}>"
        case _:
            return kind.simpleString()
