"""What a SQL statement takes and gives, without Spark."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any


class QueryError(Exception):
    """Raised when Spark refuses a statement; `sql_state` is the standard's code for why."""

    def __init__(self, message: str, sql_state: str) -> None:
        super().__init__(message)
        self.sql_state = sql_state


def _timestamp(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


_AS_PYTHON: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("STRING", "CHAR", "VARCHAR"), str),
    **dict.fromkeys(("INT", "INTEGER", "LONG", "BIGINT", "SHORT", "SMALLINT", "BYTE", "TINYINT"), int),
    **dict.fromkeys(("DOUBLE", "FLOAT"), float),
    "DECIMAL": Decimal,
    "DATE": dt.date.fromisoformat,
    "TIMESTAMP": _timestamp,
    "BOOLEAN": _boolean,
}
_TYPE = re.compile(r"([A-Z]+)(\(\d+(, ?\d+)?\))?")


@dataclass(frozen=True)
class Parameter:
    """A value for `:name` in a statement: text that stands for a value of the type, or none.

    Raises:
        ValueError: There is no such type here, or the text stands for none of its values.
    """

    name: str
    value: str | None
    type: str

    def __post_init__(self) -> None:
        found = _TYPE.fullmatch(self.type.upper())
        if found is None or found[1] not in _AS_PYTHON:
            raise ValueError(f"parameter {self.name} must have one of the types {', '.join(_AS_PYTHON)}: {self.type}")
        try:
            self.as_python()
        except (ValueError, KeyError, InvalidOperation):
            raise ValueError(f"parameter {self.name} must be of type {self.type}, found {self.value!r}") from None

    def as_python(self) -> Any:
        """As Spark's client takes it: a value, and never a part of the statement."""
        return None if self.value is None else _AS_PYTHON[self.type.upper().partition("(")[0]](self.value)


@dataclass(frozen=True)
class Rows:
    """A result: its columns as the API describes them, and each value as text.

    Attributes:
        truncated: Whether a limit left rows out.
    """

    columns: list[dict[str, Any]] = field(default_factory=list)
    data: list[list[str | None]] = field(default_factory=list)
    truncated: bool = False

    @property
    def size(self) -> int:
        return sum(len(value or "") for row in self.data for value in row)
