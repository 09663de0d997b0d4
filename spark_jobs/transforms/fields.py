"""Text to typed values, exactly or not at all: what can't be read is null, and the caller says so."""

from collections.abc import Callable

from pyspark.sql import Column
from pyspark.sql import functions as F

# Bounds the decimals, so that no cast below rounds anything away. `\d` is an ASCII digit here, and `\z` the very end,
# where `$` would let a line break pass.
_DECIMAL = r"^[+-]?\d+(\.\d{1,18})?([eE]\+?\d{1,2})?\z"
# Spark's own cast takes a bare time of day too, and means today by it.
_TIMESTAMP = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?\z"
_DATE = r"^\d{4}-\d{2}-\d{2}\z"
_BOUNDS = ("0001-01-01", "9999-12-31 23:59:59.999999")

EXACT = "decimal(38,18)"
MONEY = "decimal(10,2)"


def read_exact(text: Column) -> Column:
    """A decimal number with every digit that it was written with."""
    return F.when(text.rlike(_DECIMAL), text.try_cast(EXACT))


def to_money(exact: Column) -> Column:
    """The same amount with two decimals; null where it has more, or doesn't fit."""
    money = exact.try_cast(MONEY)
    return F.when(money == exact, money)


def read_money(text: Column) -> Column:
    return to_money(read_exact(text))


def read_timestamp(text: Column) -> Column:
    """ISO-8601; without an offset it is UTC, the session's time zone."""
    moment = text.try_cast("timestamp")
    is_storable = moment.between(*(F.lit(bound).cast("timestamp") for bound in _BOUNDS))
    return F.when(text.rlike(_TIMESTAMP) & is_storable, moment)


def read_date(text: Column) -> Column:
    date = text.try_cast("date")
    return F.when(text.rlike(_DATE) & (date >= F.lit("0001-01-01").cast("date")), date)


def _text(text: Column) -> Column:
    return text


READERS: dict[str, Callable[[Column], Column]] = {
    "string": _text,
    "bigint": lambda text: text.try_cast("bigint"),
    "boolean": lambda text: text.try_cast("boolean"),
    MONEY: read_money,
    "timestamp": read_timestamp,
    "date": read_date,
}
"""How a column of each type is read."""
