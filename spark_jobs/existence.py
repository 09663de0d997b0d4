"""Whether a table is there, asked in a way that classic Spark and Spark Connect answer alike."""

from collections.abc import Callable

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

_NO_TABLE = {
    "TABLE_OR_VIEW_NOT_FOUND",
    "PATH_NOT_FOUND",
    "DELTA_TABLE_NOT_FOUND",
    "DELTA_MISSING_DELTA_TABLE",
    "DELTA_PATH_DOES_NOT_EXIST",
}


def schema_if_exists(read: Callable[[], DataFrame]) -> StructType | None:
    """The columns of a table that may not be there; None where it isn't.

    A classic session says so when the table is read, Connect only when it is asked for the columns.
    """
    try:
        return read().schema
    except AnalysisException as error:
        if error.getCondition() in _NO_TABLE:
            return None
        raise


def is_table_at(spark: SparkSession, location: str) -> bool:
    """Whether a folder holds a Delta table, known by name or not."""
    return schema_if_exists(lambda: spark.read.format("delta").load(location)) is not None
