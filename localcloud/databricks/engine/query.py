"""SQL statements in a Spark Connect session of their own. Slow to import, so imported once a server is there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
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
    """A session whose statements can be interrupted from another thread."""

    def __init__(self, remote: str) -> None:
        builder = SparkSession.builder.remote(remote).config("spark.sql.connect.serverStacktrace.enabled", "false")
        self._spark = builder.create()

    def run(self, statement: str, parameters: list[Parameter], schema: str | None, limit: int | None) -> Rows:
        """Runs the statement; every value comes as text.

        Raises:
            QueryError: Spark refused it, or was told to stop.
        """
        try:
            self._use(schema)
            found = self._spark.sql(bind(statement, parameters))
            return _rows(found, limit)
        except PySparkException as error:
            raise _refused(error) from None

    def prepare(self, schema: str | None, settings: Mapping[str, str]) -> None:
        """Has the statements that follow find this schema and these settings.

        Raises:
            QueryError: Spark refused one.
        """
        try:
            for name, value in settings.items():
                self._spark.conf.set(name, value)
            self._use(schema)
        except PySparkException as error:
            raise _refused(error) from None

    def table(self, statement: str, parameters: Sequence[Parameter], limit: int | None, tag: str) -> pa.Table:
        """Runs the statement under a tag, by which it is interrupted; every value comes in its own type.

        Raises:
            QueryError: Spark refused it, or was told to stop.
        """
        self._spark.addTag(tag)  # of this thread's statements
        try:
            found = self._spark.sql(bind(statement, parameters))
            return (found if limit is None else found.limit(limit)).toArrow()
        except PySparkException as error:
            raise _refused(error) from None
        finally:
            self._spark.removeTag(tag)

    def _use(self, schema: str | None) -> None:
        if schema:
            self._spark.sql(f"USE `{schema.replace('`', '``')}`")

    def interrupt(self, tag: str = "") -> None:
        """Stops the statements under a tag; without one, all."""
        if tag:
            self._spark.interruptTag(tag)
        else:
            self._spark.interruptAll()

    def close(self) -> None:
        self._spark.stop()


def _refused(error: PySparkException) -> QueryError:
    return QueryError(str(error).strip(), error.getSqlState() or "")


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
