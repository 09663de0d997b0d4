"""The many ways in which a message can be broken; none of them leaves it readable."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from localcloud.bookstore.stream import Message

Document = dict[str, Any]


@dataclass(frozen=True)
class Defect:
    """One way to break a message.

    Attributes:
        reason: The code under which `bronze.quarantine` keeps such a message.
        apply: Gives the broken form of a valid message that is not a tombstone.
    """

    reason: str
    apply: Callable[[Message], Message]


def _bytes(reason: str, breaks: Callable[[bytes], bytes]) -> Defect:
    """Breaks the value as bytes."""

    def apply(message: Message) -> Message:
        key, value = message
        return key, breaks(value or b"")

    return Defect(reason, apply)


def _document(reason: str, breaks: Callable[[Document], object], *, keyless: bool = False) -> Defect:
    """Changes the JSON object in place."""

    def apply(message: Message) -> Message:
        key, value = message
        document = orjson.loads(value or b"")
        breaks(document)
        return None if keyless else key, orjson.dumps(document)

    return Defect(reason, apply)


def _row(reason: str, breaks: Callable[[Document], object], *, keyless: bool = False) -> Defect:
    """Changes the row of a change event, which becomes a plain create: nothing else in it says what the row was."""

    def breaks_after(change: Document) -> None:
        row = change["after"] or change["before"]
        breaks(row)
        change.update(before=None, after=row, op="c")

    return _document(reason, breaks_after, keyless=keyless)


def _line(reason: str, **fields: object) -> Defect:
    """Changes the first line of an order."""
    return _document(reason, lambda order: order["lines"][0].update(fields))


def _order(reason: str, **fields: object) -> Defect:
    return _document(reason, lambda order: order.update(fields))


def _without(reason: str, field: str) -> Defect:
    return _document(reason, lambda order: order.pop(field))


def _drop_times(change: Document) -> None:
    change.pop("ts_ms")
    change["source"].pop("ts_ms")


UNREADABLE = (
    _bytes("not_json", lambda value: value[:-1]),
    _bytes("not_json", lambda _: b""),
    _bytes("not_json", lambda _: b"<event/>"),
    _bytes("not_utf8", lambda value: b'{"note":"\xff\xfe",' + value[1:]),
    _bytes("not_an_object", lambda value: b"[" + value + b"]"),
    _bytes("not_an_object", lambda _: b"42"),
)


def _change(key: str, **unreadable: object) -> tuple[Defect, ...]:
    """What can be wrong with a change event; `unreadable` are values that their columns can't hold."""
    return (
        *UNREADABLE,
        _row(f"missing_{key}", lambda row: row.pop(key), keyless=True),
        _row(f"missing_{key}", lambda row: row.update({key: None}), keyless=True),
        _row("key_contradicts_row", lambda row: row.update({key: row[key] + 1})),
        _row("unreadable_value", lambda row: row.update({key: "seventeen"}), keyless=True),
        *(_row("unreadable_value", partial(dict.update, **{name: value})) for name, value in unreadable.items()),
        _document("unknown_op", lambda change: change.update(op="x")),
        _document("unknown_op", lambda change: change.pop("op")),
        _document("missing_row", lambda change: change.update(before=None, after=None, op="c")),
        _document("missing_sequence", _drop_times),
    )


DEFECTS = {
    "bookstore.customers": _change("customer_id", marketing_consent="maybe", created_at="2026-02-30T10:00:00Z"),
    "bookstore.books": (
        *_change("book_id", price="a lot", published_on="2026-02-30", updated_at="yesterday"),
        _document("unsupported_truncate", lambda change: change.update(before=None, after=None, op="t"), keyless=True),
    ),
    "bookstore.orders": (
        *UNREADABLE,
        _order("unknown_status", status="lost"),
        _order("unknown_status", status=None),
        _order("wrong_currency", currency="USD"),
        _line("invalid_quantity", quantity=0),
        _line("invalid_quantity", quantity=-1),
        _line("invalid_returned_quantity", returned_quantity=-1),
        _line("invalid_returned_quantity", returned_quantity=1_000),
        _line("invalid_price", unit_price="-0.01"),
        _line("invalid_price", unit_price="12.999"),
        _document("duplicate_line_no", lambda order: order["lines"].append(order["lines"][0])),
        _order("no_lines", lines=[]),
        _without("no_lines", "lines"),
        _without("missing_order_id", "order_id"),
        _without("missing_version", "version"),
        _without("missing_ordered_at", "ordered_at"),
        _order("unreadable_value", version="three"),
        _order("unreadable_value", customer_id="seventeen"),
        _order("unreadable_value", ordered_at="2026-02-30T10:00:00Z"),
        _order("unreadable_value", lines="none"),
        _line("unreadable_value", quantity="two"),
        _line("unreadable_value", quantity=1.5),
        _line("unreadable_value", unit_price="a lot"),
    ),
}
"""For each topic, every way in which its messages are broken."""
