"""One SQL statement in a Spark Connect session of its own. Slow to import, so imported once a server is there."""

from collections.abc import Callable
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql.connect import functions as F
from pyspark.sql.connect.session import SparkSession
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    ByteType,
    DataType,
    DecimalType,
    IntegerType,
    LongType,
    MapType,
    ShortType,
    StructField,
    StructType,
    TimestampType,
)

from localcloud.databricks.engine.statement import Parameter, QueryError, Rows, bind

_ISO = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"
_NAMES: dict[type[DataType], str] = {
    IntegerType: "INT",
    LongType: "LONG",
    ShortType: "SHORT",
    ByteType: "BYTE",
    ArrayType: "ARRAY",
    MapType: "MAP",
    StructType: "STRUCT",
    DecimalType: "DECIMAL",
}


class Query:
    """A statement that is running, and can be interrupted from another thread."""

    def __init__(self, remote: str) -> None:
        builder = SparkSession.builder.remote(remote).config("spark.sql.connect.serverStacktrace.enabled", "false")
        self._spark = builder.create()

    def run(self, statement: str, parameters: list[Parameter], schema: str | None, limit: int | None) -> Rows:
        """Runs the statement; every value comes as text.

        Raises:
            QueryError: Spark refused it, or was told to stop.
        """
        try:
            if schema:
                self._spark.sql(f"USE `{schema.replace('`', '``')}`")
            found = self._spark.sql(bind(statement, parameters))
            return _rows(found, limit)
        except PySparkException as error:
            raise QueryError(str(error).strip(), error.getSqlState() or "") from None

    def interrupt(self) -> None:
        self._spark.interruptAll()

    def close(self) -> None:
        self._spark.stop()


def _rows(found: DataFrame, limit: int | None) -> Rows:
    """The first rows; one more than the limit is asked for, to see whether there are."""
    fields = found.schema.fields
    numbered = found.toDF(*(f"c{number}" for number in range(len(fields))))  # names may be there twice
    texts = [_text(field)(F.col(f"c{number}")) for number, field in enumerate(fields)]
    shown = numbered.select(*texts) if fields else numbered
    data = [list(row) for row in (shown if limit is None else shown.limit(limit + 1)).collect()]
    kept = data if limit is None else data[:limit]
    return Rows([_column(number, field) for number, field in enumerate(fields)], kept, truncated=len(kept) < len(data))


def _text(field: StructField) -> Callable[[Column], Column]:
    if isinstance(field.dataType, ArrayType | MapType | StructType):
        return F.to_json
    if isinstance(field.dataType, BinaryType):
        return F.base64
    if isinstance(field.dataType, TimestampType):
        return lambda column: F.date_format(column, _ISO)
    return lambda column: column.cast("string")


def _column(position: int, field: StructField) -> dict[str, Any]:
    kind = field.dataType
    column = {
        "name": field.name,
        "position": position,
        "type_text": kind.simpleString().upper(),
        "type_name": _NAMES.get(type(kind), kind.typeName().upper()),
    }
    if isinstance(kind, DecimalType):
        column |= {"type_precision": kind.precision, "type_scale": kind.scale}
    return column
