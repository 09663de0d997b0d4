"""Debezium's encodings of times and decimals, where an event's schema block names them."""

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

from spark_jobs.transforms.fields import EXACT, MONEY, READERS, to_money

SCHEMA = """struct<fields:array<struct<field:string,fields:array<struct<field:string,name:string,
    parameters:struct<scale:string>>>>>>"""
"""What is taken of a schema block: of each column the name of its encoding, and a decimal's scale."""

_CONNECT = "org.apache.kafka.connect.data"
_UNITS_PER_SECOND = {
    f"{_CONNECT}.Timestamp": 10**3,
    "io.debezium.time.Timestamp": 10**3,
    "io.debezium.time.MicroTimestamp": 10**6,
    "io.debezium.time.NanoTimestamp": 10**9,
}
_DAYS = (f"{_CONNECT}.Date", "io.debezium.time.Date")
_ISO_DATE = "io.debezium.time.IsoDate"
_DECIMAL = f"{_CONNECT}.Decimal"
_VARIABLE_DECIMAL = "io.debezium.data.VariableScaleDecimal"

# The years 1 to 9999, from 1970 on.
_SECONDS = (-62_135_596_800, 253_402_300_799)
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_MOST_DECIMALS = 18
_BYTES_OF_LONG = 8


def encodings(schema: Column, image: Column, kinds: Mapping[str, str]) -> Column:
    """How the block says that each column is written, which may be nothing; null without a block.

    Args:
        schema: The block, read as `SCHEMA`.
        image: Which of the event's rows it is about, `before` or `after`.
        kinds: The columns and their types.
    """
    columns = _named(schema["fields"], image)["fields"]
    return F.when(schema.isNotNull(), F.struct(*[_named(columns, F.lit(name)).alias(name) for name in encoded(kinds)]))


def encoded(kinds: Mapping[str, str]) -> list[str]:
    """The columns that can be written in several ways."""
    return [name for name, kind in kinds.items() if kind in _READERS]


def read_encoded(written: Column, text: Column, kind: str, encoding: Column) -> Column:
    """Reads a field as its schema says, or as without one where that says nothing.

    Args:
        written: The field as it was taken out of the JSON.
        text: The same as text.
        kind: The column's type.
        encoding: The column's entry in `encodings`.
    """
    return _READERS[kind](written, text, encoding)


def _named(fields: Column, name: Column) -> Column:
    return F.get(F.filter(fields, lambda field: field["field"] == name), F.lit(0))


def _timestamp(_written: Column, text: Column, encoding: Column) -> Column:
    number = text.try_cast("bigint")
    choose = F.when
    for name, units in _UNITS_PER_SECOND.items():
        chosen = choose(encoding["name"] == name, _moment(number, units))
        choose = chosen.when
    return chosen.otherwise(READERS["timestamp"](text))


def _moment(number: Column, units: int) -> Column:
    # Within the years, and within what 64 bits can say.
    first, last = max(_SECONDS[0] * units, -(2**63)), min((_SECONDS[1] + 1) * units, 2**63) - 1
    micros = F.floor(number.cast("decimal(19,0)") * 10**6 / units).cast("bigint")
    return F.when(number.between(first, last), F.timestamp_micros(micros))


def _date(_written: Column, text: Column, encoding: Column) -> Column:
    number = text.try_cast("int")
    by_number = F.when(number.between(_FIRST_DAY, _LAST_DAY), F.date_from_unix_date(number))
    in_utc = READERS["date"](F.regexp_replace(text, r"Z\z", ""))
    by_name = F.when(encoding["name"].isin(*_DAYS), by_number).when(encoding["name"] == _ISO_DATE, in_utc)
    return by_name.otherwise(READERS["date"](text))


def _money(written: Column, text: Column, encoding: Column) -> Column:
    name = encoding["name"]
    is_bytes = (name == _DECIMAL) & (F.schema_of_variant(written) == "STRING")
    fixed = _unscaled(text, encoding["parameters"]["scale"])
    variable = _unscaled(F.get_json_object(text, "$.value"), F.get_json_object(text, "$.scale"))
    exact = F.when(is_bytes, fixed).when(name == _VARIABLE_DECIMAL, variable)
    return F.when(is_bytes | (name == _VARIABLE_DECIMAL), to_money(exact)).otherwise(READERS[MONEY](text))


def _unscaled(base64: Column, scale: Column) -> Column:
    """A whole number as its bytes, the highest first and the first bit its sign, and how many digits are decimals."""
    content = F.try_to_binary(base64, F.lit("base64"))
    digits = F.hex(content)
    sign = F.when(digits.rlike("^[89A-F]"), F.lit("F")).otherwise(F.lit("0"))
    number = F.conv(F.concat(F.repeat(sign, 2 * _BYTES_OF_LONG - F.length(digits)), digits), 16, -10)
    decimals = scale.try_cast("int")
    is_readable = F.length(content).between(1, _BYTES_OF_LONG) & decimals.between(0, _MOST_DECIMALS)
    return F.when(is_readable, F.concat(number, F.lit("E-"), decimals).try_cast(EXACT))


_READERS = {"timestamp": _timestamp, "date": _date, MONEY: _money}
