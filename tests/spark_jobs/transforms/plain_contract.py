"""The contract of the three topics in plain Python, for bytes of any kind: what is read of a message, or why not."""

import base64
import binascii
import datetime as dt
import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

DEEPEST = 1_000
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MONEY_LIMIT = Decimal(10**8)
BLANKS = "".join(map(chr, range(33))) + "\x7f"

# Python's parser calls itself for each bracket.
sys.setrecursionlimit(max(sys.getrecursionlimit(), 10 * DEEPEST))


class Quarantined(Exception):  # noqa: N818 - its argument is a reason code
    """Raised with the reason code of a message that can't be read."""


class Read(NamedTuple):
    """What a message comes to: a reason code, or its columns as texts, moments in microseconds since 1970."""

    reason_code: str | None
    columns: dict[str, Any]


class Number(str):
    """A JSON number as it is written."""


@dataclass(frozen=True)
class Object:
    """A JSON object with all its pairs, of which the last of a name counts."""

    pairs: list[tuple[str, Any]]

    def get(self, name: str) -> Any:
        return dict(self.pairs).get(name)


def must(holds: bool, reason_code: str) -> None:
    if not holds:
        raise Quarantined(reason_code)


def document(value: bytes, spec: Any) -> Object:
    """A message's object, of which every object and list that the contract names is one."""
    found = json_of(text_of(value))
    must(isinstance(found, Object), "not_an_object")
    must(fits(found, spec), "unreadable_value")
    must(not has_half_character(found), "unreadable_value")
    assert isinstance(found, Object)
    return found


def text_of(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Quarantined("not_utf8") from None


def json_of(text: str) -> Any:
    must(depth(text) <= DEEPEST, "not_json")
    try:
        return json.loads(
            text, object_pairs_hook=Object, parse_int=number, parse_float=number, parse_constant=no_constant
        )
    except (ValueError, RecursionError):
        raise Quarantined("not_json") from None


def number(text: str) -> Number:
    if len(text) > 1_000:
        raise ValueError(text)
    return Number(text)


def no_constant(text: str) -> None:
    raise ValueError(text)


def depth(text: str) -> int:
    deepest = level = 0
    for bracket in re.findall(r"[\[{\]}]", re.sub(r'"(\\.|[^"\\])*"', "", text, flags=re.DOTALL)):
        level += 1 if bracket in "[{" else -1
        deepest = max(deepest, level)
    return deepest


def fits(found: Any, spec: Any) -> bool:
    """Whether each object and list that `spec` names is one, or null, wherever a name stands."""
    if found is None or spec is None:
        return True
    if isinstance(spec, list):
        return isinstance(found, list) and all(fits(item, spec[0]) for item in found)
    if spec is MONEY:
        return is_one_value(found)
    return isinstance(found, Object) and all(fits(value, spec.get(name)) for name, value in found.pairs)


def is_one_value(found: Any) -> bool:
    """A price may be anything, but not an object that contradicts itself."""
    if isinstance(found, list):
        return all(map(is_one_value, found))
    if isinstance(found, Object):
        return len(dict(found.pairs)) == len(found.pairs) and all(is_one_value(value) for _, value in found.pairs)
    return True


def has_half_character(found: Any) -> bool:
    if isinstance(found, list):
        return any(map(has_half_character, found))
    if isinstance(found, Object):
        return any(has_half_character(part) for pair in found.pairs for part in pair)
    return isinstance(found, str) and any("\ud800" <= letter <= "\udfff" for letter in found)


# Each reader takes a JSON value other than null, and gives the column's value, or None where it can't be read.


def as_text(found: Any) -> str:
    if isinstance(found, str) and not isinstance(found, Number):
        return found
    if isinstance(found, Number) and isinstance(value := number_or_text(found), str):
        return value
    return json.dumps(plain(found), separators=(",", ":"), ensure_ascii=False)


def plain(found: Any) -> Any:
    if isinstance(found, list):
        return [plain(item) for item in found]
    if isinstance(found, Object):
        return {name: plain(value) for name, value in found.pairs}
    return number_or_text(found) if isinstance(found, Number) else found


def number_or_text(written: Number) -> int | float | str:
    """A number as a text column keeps it: one that is no whole number as the double that it is."""
    if re.fullmatch("-?[0-9]+", written):
        return int(written)
    double = float(written)
    return double if math.isfinite(double) else '"Infinity"'


def as_whole(found: Any, limit: int = 2**63) -> int | None:
    text = "" if isinstance(found, list | Object | bool) else str(found).strip(BLANKS)
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        return None
    return int(text) if -limit <= int(text) < limit else None


def as_int(found: Any) -> int | None:
    return as_whole(found, 2**31)


def as_boolean(found: Any) -> bool | None:
    if isinstance(found, list | Object):
        return None
    words = {
        **dict.fromkeys(("t", "true", "y", "yes", "1"), True),
        **dict.fromkeys(("f", "false", "n", "no", "0"), False),
    }
    text = as_text(found) if isinstance(found, bool) else str(found)
    return words.get(text.strip(BLANKS).lower())


def as_exact(found: Any) -> Decimal | None:
    """A decimal number of up to 18 decimals; one written with an exponent, or very long, is the double that it is."""
    if isinstance(found, list | Object | bool):
        return None
    text = str(found)
    if isinstance(found, Number) and (re.search("[eE]", text) or len(re.sub(r"\D", "", text).lstrip("0")) > 38):
        double = float(text)
        if abs(double) == float("inf") or 0 < abs(double) < 1e-3:
            return None
        text = repr(double)
    elif isinstance(found, Number) and "." in text:
        text = text.rstrip("0").rstrip(".")
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]{1,18})?([eE]\+?[0-9]{1,2})?", text):
        return None
    return exactly(Decimal(text)) if abs(Decimal(text)) < 10**20 else None


def exactly(value: Decimal) -> Decimal:
    with localcontext(prec=100):
        return value + 0


def as_money(exact: Decimal | None) -> Decimal | None:
    if exact is None or abs(exact) >= MONEY_LIMIT or exact != exact.quantize(Decimal("0.01")):
        return None
    return exact.quantize(Decimal("0.01"))


def as_moment(found: Any) -> int | None:
    pattern = r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?"
    match = re.fullmatch(pattern, found, re.ASCII) if type(found) is str else None
    if match is None:
        return None
    date, time, fraction, zone = match.groups()
    offset = zone_minutes(zone or "Z")
    try:
        moment = dt.datetime.fromisoformat(f"{date}T{time}+00:00")
    except ValueError:
        return None
    if offset is None:
        return None
    micros = (moment - EPOCH) // dt.timedelta(microseconds=1) - offset * 60_000_000
    return in_years(micros + int((fraction or "0").ljust(6, "0")[:6]))


def zone_minutes(zone: str) -> int | None:
    if zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if minutes > 59 or hours * 60 + minutes > 18 * 60:
        return None
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)


def in_years(micros: int) -> int | None:
    return micros if -62_135_596_800_000_000 <= micros < 253_402_300_800_000_000 else None


def as_day(found: Any) -> str | None:
    if type(found) is not str or not re.fullmatch(r"\d{4}-\d\d-\d\d", found, re.ASCII):
        return None
    try:
        return dt.date.fromisoformat(found).isoformat()
    except ValueError:
        return None


# With a schema block.


def encoded_moment(found: Any, units: int) -> int | None:
    count = as_whole(found)
    return None if count is None else in_years(count * 10**6 // units)


def encoded_day(found: Any) -> str | None:
    days = as_int(found)
    if days is None or not -719_162 <= days <= 2_932_896:
        return None
    return (dt.date(1970, 1, 1) + dt.timedelta(days)).isoformat()


def encoded_decimal(content: Any, scale: Any) -> Decimal | None:
    decimals = None if scale is None else as_int(scale)
    try:
        number = base64.b64decode(content, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return None
    if not 1 <= len(number) <= 8 or decimals is None or not 0 <= decimals <= 18:
        return None
    return as_money(exactly(Decimal(int.from_bytes(number, "big", signed=True)).scaleb(-decimals)))


def precise(found: Any, field: Object) -> Decimal | None:
    if type(found) is not str:
        return as_money(as_exact(found))
    parameters = field.get("parameters")
    return encoded_decimal(found, parameters.get("scale") if parameters else None)


def variable(found: Any) -> Decimal | None:
    return encoded_decimal(found.get("value"), found.get("scale")) if isinstance(found, Object) else None


def iso_day(found: Any) -> str | None:
    return as_day(found.removesuffix("Z")) if type(found) is str else None


MONEY = "money"
MOMENT = "moment"
DAY = "day"
PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "text": as_text,
    "whole": as_whole,
    "boolean": as_boolean,
    MONEY: lambda found: as_money(as_exact(found)),
    MOMENT: as_moment,
    DAY: as_day,
}
ENCODED: Mapping[tuple[str, str], Callable[[Any, Object], Any]] = {
    (MOMENT, "org.apache.kafka.connect.data.Timestamp"): lambda found, _: encoded_moment(found, 10**3),
    (MOMENT, "io.debezium.time.Timestamp"): lambda found, _: encoded_moment(found, 10**3),
    (MOMENT, "io.debezium.time.MicroTimestamp"): lambda found, _: encoded_moment(found, 10**6),
    (MOMENT, "io.debezium.time.NanoTimestamp"): lambda found, _: encoded_moment(found, 10**9),
    (DAY, "org.apache.kafka.connect.data.Date"): lambda found, _: encoded_day(found),
    (DAY, "io.debezium.time.Date"): lambda found, _: encoded_day(found),
    (DAY, "io.debezium.time.IsoDate"): lambda found, _: iso_day(found),
    (MONEY, "org.apache.kafka.connect.data.Decimal"): precise,
    (MONEY, "io.debezium.data.VariableScaleDecimal"): lambda found, _: variable(found),
}
