"""Where tables live, and the few statements that create, read and replace them."""

from dataclasses import dataclass
from functools import partial

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.conflicts import until_created, until_no_conflict
from spark_jobs.creation import create_delta_table, register_delta_table
from spark_jobs.errors import MissingTableError
from spark_jobs.existence import is_table_at
from spark_jobs.tables import Table, types

_ATTEMPTS = 10


def table_properties(table: Table) -> dict[str, str]:
    """What a table is created with: of one about customers, no names and addresses go into the log."""
    kept_out = {"delta.dataSkippingStatsColumns": ",".join(table.statistics)} if table.is_about_customers else {}
    return dict(table.properties) | kept_out


@dataclass(frozen=True)
class Lake:
    """The lakehouse at one root.

    Attributes:
        root: URI of the lake, e.g. `abfss://bookstore@account.dfs.core.windows.net/lake`, without a trailing slash.
        catalog: Unity Catalog's catalog; empty where the workspace has none.
    """

    root: str
    catalog: str = ""

    def path(self, table: Table) -> str:
        return f"{self.root}/{table.layer}/{table.name}"

    def name(self, table: Table) -> str:
        return self.qualified(table.full_name)

    def qualified(self, name: str) -> str:
        return f"{self.catalog}.{name}" if self.catalog else name

    def checkpoint(self, stream: str) -> str:
        """Where a stream keeps its position: one folder per stream, beside the tables."""
        return f"{self.root}/_checkpoints/{stream}"

    def create(self, spark: SparkSession, *tables: Table) -> list[Table]:
        """Makes each table known by name, and creates it where it doesn't exist; an existing one keeps its columns.

        Returns:
            The tables that did not exist.
        """
        for layer in sorted({table.layer for table in tables}):
            spark.sql(f"CREATE SCHEMA IF NOT EXISTS {self.qualified(layer)} LOCATION '{self.root}/{layer}'")
        # Of runs that start at once on a new lake, one creates a table and the others find it.
        return [table for table in tables if until_created(partial(self._create, spark, table))]

    def extend(self, spark: SparkSession, table: Table) -> None:
        """Creates the table, or gives one that an earlier version made the columns that it lacks, null in all rows."""
        self.create(spark, table)
        known = self.read(spark, table).columns
        missing = ", ".join(f"{name} {kind}" for name, kind in types(table.columns).items() if name not in known)
        if missing:
            spark.sql(f"ALTER TABLE {self.name(table)} ADD COLUMNS ({missing})")

    def _create(self, spark: SparkSession, table: Table) -> bool:
        is_new = not self.exists(spark, table)
        if is_new:
            create_delta_table(
                spark,
                self.name(table),
                types(table.columns),
                clause="CREATE TABLE IF NOT EXISTS",
                partitioned_by=table.partitioned_by,
                location=self.path(table),
                properties=table_properties(table),
            )
        else:
            register_delta_table(spark, self.name(table), self.path(table))
        return is_new

    def exists(self, spark: SparkSession, table: Table) -> bool:
        """Whether the table's folder holds a Delta table, known by name or not."""
        return is_table_at(spark, self.path(table))

    def find(self, spark: SparkSession, table: Table) -> DataFrame | None:
        """The table's rows; None while nothing has written the table."""
        return spark.read.format("delta").load(self.path(table)) if self.exists(spark, table) else None

    def read(self, spark: SparkSession, table: Table, version: int | None = None) -> DataFrame:
        """The table's rows; those of one version where it is given.

        Raises:
            MissingTableError: Nothing has written the table yet.
        """
        if version is not None:
            return spark.read.format("delta").option("versionAsOf", version).load(self.path(table))
        rows = self.find(spark, table)
        if rows is None:
            raise MissingTableError(
                f"{table.full_name} is required at {self.path(table)} and does not exist yet: "
                f"run the job that writes it first"
            )
        return rows

    def version(self, spark: SparkSession, table: Table) -> int:
        """The number of the table's latest commit."""
        history = spark.sql(f"DESCRIBE HISTORY delta.`{self.path(table)}` LIMIT 1")
        return int(history.select("version").collect()[0].version)

    def changes(self, spark: SparkSession, table: Table, *, after: int, until: int) -> DataFrame:
        """What the commits after a version changed, up to and including another one: rows with `_change_type`."""
        reader = spark.read.format("delta").option("readChangeFeed", "true")
        if after == until:
            return reader.option("startingVersion", until).load(self.path(table)).where("false")
        return reader.option("startingVersion", after + 1).option("endingVersion", until).load(self.path(table))

    def replace(self, spark: SparkSession, table: Table, rows: DataFrame, where: str = "") -> None:
        """Replaces the table's rows, or those that `where` selects, in one commit; others keep what they have.

        No rows leave nothing behind: an empty result empties the table, or the part that `where` selects.
        """
        self.create(spark, table)
        writer = rows.write.format("delta").mode("overwrite")
        if where:
            writer = writer.option("replaceWhere", where)
        writer.save(self.path(table))

    def replace_at_last(self, spark: SparkSession, table: Table, rows: DataFrame, where: str) -> None:
        """Replaces rows as `replace` does, and does it again where another run has replaced the same meanwhile.

        For rows that are as good whoever comes last.
        """
        until_no_conflict(lambda: self.replace(spark, table, rows, where), attempts=_ATTEMPTS)

    def clear(self, spark: SparkSession, table: Table, where: str) -> None:
        """Removes the rows that `where` selects, in a table that need not exist."""
        if self.exists(spark, table):
            spark.sql(f"DELETE FROM delta.`{self.path(table)}` WHERE {where}")
