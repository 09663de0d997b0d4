"""Least and greatest values as literals, by which Delta skips the files that a call can't concern."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ByteType,
    DataType,
    DateType,
    DecimalType,
    IntegerType,
    LongType,
    ShortType,
    StringType,
    StructType,
    TimestampType,
)

from spark_jobs.auto_cdc.columns import column

_AS_THEY_ARE = (ByteType, ShortType, IntegerType, LongType, DateType, DecimalType)


@dataclass(frozen=True)
class Field:
    """A column, or the first field of a struct, whose values can be literals.

    Attributes:
        path: Where it is in the companion.
        to_plain: Makes it a value that Python holds exactly: a timestamp becomes microseconds.
        to_literal: The way back.
    """

    path: tuple[str, ...]
    to_plain: Callable[[Column], Column]
    to_literal: Callable[[Any], Column]

    @property
    def alias(self) -> str:
        return ".".join(self.path)

    def aggregates(self) -> list[Column]:
        value = self.to_plain(column(*self.path))
        # A struct whose first field is null comes before all others: there is no least value then.
        least = F.when(~F.bool_or(value.isNull()), F.min(value))
        return [least.alias(f"min {self.alias}"), F.max(value).alias(f"max {self.alias}")]


@dataclass(frozen=True)
class Bound:
    """Between which values a column's or field's values lie.

    Attributes:
        path: Below the companion's column: empty, a key's name, or a field within.
        least: As a literal.
        greatest: As a literal.
    """

    path: tuple[str, ...]
    least: Column
    greatest: Column


def leading_field(path: tuple[str, ...], kind: DataType) -> Field | None:
    """What orders values of this type first, if it can be a literal."""
    match kind:
        case StructType():
            first = kind.fields[0]
            return leading_field((*path, first.name), first.dataType)
        case TimestampType():
            # As text or as a Python datetime it would go through a time zone, in which an hour can occur twice.
            return Field(path, F.unix_micros, lambda micros: F.timestamp_micros(F.lit(micros)))
        case StringType() if kind.collation == "UTF8_BINARY":
            return Field(path, lambda value: value, F.lit)
        case _ if isinstance(kind, _AS_THEY_ARE):
            return Field(path, lambda value: value, lambda value: F.lit(value).cast(kind))
    return None


def bounds_of(field: Field | None, measured: Mapping[str, Any]) -> Bound | None:
    if field is None or measured.get(f"min {field.alias}") is None:
        return None
    least, greatest = (field.to_literal(measured[f"{end} {field.alias}"]) for end in ("min", "max"))
    return Bound(field.path[1:], least, greatest)
