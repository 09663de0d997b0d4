"""How a Delta table is created, also where somebody died who was about to."""

from collections.abc import Mapping, Sequence

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from spark_jobs.sql import listed, literal, quoted

_LEFT_OVER = "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION"


def register_delta_table(spark: SparkSession, name: str, location: str) -> None:
    """Makes the table at a location known by name, if it isn't yet."""
    spark.sql(f"CREATE TABLE IF NOT EXISTS {name} USING delta LOCATION {literal(location)}")


def create_delta_table(
    spark: SparkSession,
    name: str,
    columns: Mapping[str, str],
    *,
    clause: str = "CREATE TABLE",
    partitioned_by: Sequence[str] = (),
    location: str = "",
    properties: Mapping[str, str] | None = None,
) -> None:
    """Creates an empty table.

    Args:
        spark: The session.
        name: What it is known as.
        columns: Each column's type in SQL.
        clause: How the statement begins, e.g. `CREATE OR REPLACE TABLE`.
        partitioned_by: Names of columns.
        location: Where it lies; empty: where the catalog puts it.
        properties: What is set on it.
    """
    how = " USING delta"
    if partitioned_by:
        how += f" PARTITIONED BY ({', '.join(map(quoted, partitioned_by))})"
    if location:
        how += f" LOCATION {literal(location)}"
    if properties:
        how += f" TBLPROPERTIES ({listed(properties)})"
    declared = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
    try:
        spark.sql(f"{clause} {name} ({declared}){how}")
    except PySparkException as error:
        if error.getCondition() != _LEFT_OVER:
            raise
        # Who dies before the first commit leaves the log's folder. Delta takes it for somebody's data, which it isn't,
        # and looks closer where a query follows.
        nothing = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(column)}" for column, kind in columns.items())
        spark.sql(f"{clause} {name}{how} AS SELECT {nothing} WHERE false")
