"""The contract of the three topics, read in plain Python: what is wrong with a message, if anything."""

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

STATUSES = {"placed", "paid", "shipped", "delivered", "cancelled", "returned"}
CENT = Decimal("0.01")


class Broken(Exception):  # noqa: N818 - its argument is a reason code
    """Raised with the reason code under which a message is quarantined."""


def verdict(topic: str, key: bytes | None, value: bytes | None) -> str | None:
    """A reason code, or None where the message can be read."""
    if value is None:
        return None
    try:
        READERS[topic](key, _document(value))
    except Broken as error:
        return str(error)
    return None


def _document(value: bytes) -> dict[str, Any]:
    try:
        document = json.loads(value.decode(), parse_float=Decimal)
    except UnicodeDecodeError:
        raise Broken("not_utf8") from None
    except json.JSONDecodeError:
        raise Broken("not_json") from None
    _must(isinstance(document, dict), "not_an_object")
    payload: dict[str, Any] = document.get("payload", document)
    return payload


def _must(holds: bool, reason: str) -> None:
    if not holds:
        raise Broken(reason)


def _whole(value: object) -> None:
    _must(type(value) is int, "unreadable_value")


def _text(value: object) -> None:
    _must(isinstance(value, str), "unreadable_value")


def _yes_or_no(value: object) -> None:
    _must(isinstance(value, bool), "unreadable_value")


def _time(value: Any) -> None:
    _must(isinstance(value, str) and value.endswith("Z"), "unreadable_value")
    _readable(dt.datetime.fromisoformat, value)


def _date(value: Any) -> None:
    _readable(dt.date.fromisoformat, value)


def _decimal(value: Any) -> None:
    _must(isinstance(value, str | Decimal | int), "unreadable_value")
    _readable(Decimal, value)


def _readable(read: Callable[[Any], object], value: Any) -> None:
    try:
        read(value)
    except (ValueError, InvalidOperation):
        raise Broken("unreadable_value") from None


Reader = Callable[[Any], None]
CUSTOMER: dict[str, Reader] = {
    "customer_id": _whole,
    "email": _text,
    "first_name": _text,
    "last_name": _text,
    "city": _text,
    "country": _text,
    "marketing_consent": _yes_or_no,
    "created_at": _time,
    "updated_at": _time,
}
BOOK: dict[str, Reader] = {
    "book_id": _whole,
    "isbn": _text,
    "title": _text,
    "author": _text,
    "genre": _text,
    "publisher": _text,
    "price": _decimal,
    "published_on": _date,
    "updated_at": _time,
}


def _change(key: bytes | None, change: dict[str, Any], row_of: dict[str, Reader], *, truncates: bool) -> None:
    op = change.get("op")
    _must(op in {"c", "u", "d", "r", "t"}, "unknown_op")
    _must(truncates or op != "t", "unsupported_truncate")
    _must("ts_ms" in change["source"] or "ts_ms" in change, "missing_sequence")
    row = change["before"] if op == "d" else change["after"]
    _must(row is not None, "missing_row")
    name = next(iter(row_of))
    _must(row.get(name) is not None, f"missing_{name}")
    _must(row.keys() == row_of.keys(), "other_columns")
    for column, read in row_of.items():
        read(row[column])
    _must(key is None or json.loads(key) == {name: row[name]}, "key_contradicts_row")


def _order(key: bytes | None, order: dict[str, Any]) -> None:
    for name in ("order_id", "version", "ordered_at"):
        _must(order.get(name) is not None, f"missing_{name}")
    _must(key == order["order_id"].encode(), "key_contradicts_row")
    _whole(order["version"])
    _must(order["customer_id"] is None or type(order["customer_id"]) is int, "unreadable_value")
    _time(order["ordered_at"])
    _time(order["updated_at"])
    _must(order["status"] in STATUSES, "unknown_status")
    _must(order["currency"] == "EUR", "wrong_currency")
    _lines(order.get("lines"))


def _lines(lines: Any) -> None:
    _must(lines is None or isinstance(lines, list), "unreadable_value")
    _must(bool(lines), "no_lines")
    _must(len({line["line_no"] for line in lines}) == len(lines), "duplicate_line_no")
    for line in lines:
        for name in ("line_no", "book_id", "quantity", "returned_quantity"):
            _whole(line[name])
        _decimal(line["unit_price"])
        price = Decimal(line["unit_price"])
        _must(line["quantity"] >= 1, "invalid_quantity")
        _must(0 <= line["returned_quantity"] <= line["quantity"], "invalid_returned_quantity")
        _must(price >= 0 and price == price.quantize(CENT), "invalid_price")


READERS: dict[str, Callable[[bytes | None, dict[str, Any]], None]] = {
    "bookstore.customers": lambda key, change: _change(key, change, CUSTOMER, truncates=True),
    "bookstore.books": lambda key, change: _change(key, change, BOOK, truncates=False),
    "bookstore.orders": _order,
}


def sequences(messages: list[tuple[bytes | None, bytes | None]]) -> Iterator[tuple[bytes | None, tuple[int, ...]]]:
    """Each message's key and its place among those of the key: a deleted order's is the last, a tombstone has none."""
    for key, value in messages:
        if value is None and (key or b"").startswith(b"O-"):
            yield key, (sys.maxsize,)
        elif value is not None:
            document = _document(value)
            source = document.get("source")
            yield key, (source["ts_ms"], source["lsn"]) if source else (document["version"],)
