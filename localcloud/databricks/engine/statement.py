"""What a SQL statement takes and gives, without Spark."""

import datetime as dt
import re
from collections.abc import Callable, Sequence
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


# How each type's values are read, and written into a statement.
_READ: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("STRING", "CHAR", "VARCHAR"), str),
    **dict.fromkeys(("INT", "INTEGER", "LONG", "BIGINT", "SHORT", "SMALLINT", "BYTE", "TINYINT"), int),
    **dict.fromkeys(("DOUBLE", "FLOAT"), float),
    "DECIMAL": Decimal,
    "DATE": dt.date.fromisoformat,
    "TIMESTAMP": _timestamp,
    "BOOLEAN": _boolean,
}
_TYPE = re.compile(r"([A-Z]+)(\(\d+(, ?\d+)?\))?")
# Texts, names and comments, in which nothing is a parameter; then what is one.
_TOKEN = re.compile(
    r"""(?: \b[rR]'[^']*' | '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" | `[^`]*` | --[^\n]* | /\*.*?\*/ | :: )
    | :(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)


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
        if found is None or found[1] not in _READ:
            raise ValueError(f"parameter {self.name} must have one of the types {', '.join(_READ)}: {self.type}")
        try:
            self.literal()
        except (ValueError, KeyError, InvalidOperation):
            raise ValueError(f"parameter {self.name} must be of type {self.type}, found {self.value!r}") from None

    def literal(self) -> str:
        """The value as an expression of SQL: its bytes, cast, so that no character of it is read as SQL."""
        if self.value is None:
            return f"CAST(NULL AS {self.type})"
        value = _READ[self.type.upper().partition("(")[0]](self.value)
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value}" if value >= 0 else f"({value})"
        text = value.isoformat() if isinstance(value, dt.date) else str(value)
        as_text = f"CAST(X'{text.encode().hex()}' AS STRING)"
        return as_text if isinstance(value, str) else f"CAST({as_text} AS {self.type})"


def bind(statement: str, parameters: Sequence[Parameter]) -> str:
    """The statement with a value in place of each `:name`.

    Spark's own parameters don't get past Delta's parser.

    Raises:
        QueryError: There is no value for one.
    """
    literals = {parameter.name: parameter.literal() for parameter in parameters}

    def replaced(found: re.Match[str]) -> str:
        if found["name"] is None:
            return found[0]
        if found["name"] not in literals:
            raise QueryError(f"[UNBOUND_SQL_PARAMETER] Found the unbound parameter: {found['name']}.", "42P02")
        return literals[found["name"]]

    return _TOKEN.sub(replaced, statement)


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
