"""What is read of order events, and under which reason the rest goes to quarantine."""

from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from spark_jobs.tables import ORDER_EVENTS, ORDER_ROW, QUARANTINE, types
from spark_jobs.transforms.order_events import read_order_events
from tests.spark_jobs.messages import Message, arrived, encode, line, local, order, without


def message(value: object, key: object = "O-1") -> Message:
    return encode(key), encode(value)


def of_line(**fields: Any) -> Message:
    """An order whose only line is unusual."""
    return message(order(lines=[line(**fields)]))


def read_orders(spark: SparkSession, messages: list[Message]) -> list[Row]:
    """What was read of each message, in order."""
    return read_order_events(arrived(spark, "bookstore.orders", messages), "EUR").orderBy("offset").collect()


def test_columns_are_those_of_the_table_and_the_reason(spark: SparkSession) -> None:
    rows = read_order_events(arrived(spark, "bookstore.orders", []), "EUR")
    reason = dict(list(types(QUARANTINE.columns).items())[-2:])
    assert dict(rows.dtypes) == types(ORDER_EVENTS.columns) | {"others": "string"} | reason


def test_every_column_of_an_order_is_read(spark: SparkSession) -> None:
    sent = message(order(lines=[line(), line(line_no=2, book_id=6, quantity=3, unit_price=7.5, returned_quantity=1)]))
    (row,) = read_orders(spark, [sent])
    assert {name: row[name] for name in types(ORDER_ROW)} == order(
        ordered_at=local("2026-01-31T10:15:00Z"),
        updated_at=local("2026-01-31T10:16:00Z"),
        lines=[
            Row(line_no=1, book_id=5, quantity=2, unit_price=Decimal("12.99"), returned_quantity=0),
            Row(line_no=2, book_id=6, quantity=3, unit_price=Decimal("7.50"), returned_quantity=1),
        ],
    )
    assert (row.reason_code, row.key, row.value) == (None, *sent)


READ: dict[str, tuple[Message, dict[str, Any]]] = {
    "a guest's order": (message(order(customer_id=None)), {"customer_id": None}),
    "no customer": (message(without(order(), "customer_id")), {"customer_id": None}),
    "no updated_at": (message(without(order(), "updated_at")), {"updated_at": None}),
    "a version as text": (message(order(version="3")), {"version": 3}),
    "a returned quantity that is absent is 0": (
        message(order(lines=[without(line(), "returned_quantity")])),
        {"lines": [Row(line_no=1, book_id=5, quantity=2, unit_price=Decimal("12.99"), returned_quantity=0)]},
    ),
    "everything came back": (of_line(returned_quantity=2), {"order_id": "O-1"}),
    "a price of 0": (of_line(unit_price="0"), {"order_id": "O-1"}),
    "a line without a book": (
        of_line(book_id=None),
        {"lines": [Row(line_no=1, book_id=None, quantity=2, unit_price=Decimal("12.99"), returned_quantity=0)]},
    ),
    "no key": (message(order(), None), {"order_id": "O-1"}),
    "a quoted key": (message(order(), '"O-1"'), {"order_id": "O-1"}),
    "a key that is an object": (message(order(), {"order_id": "O-1"}), {"order_id": "O-1"}),
    "a key wrapped with its schema": (
        message(order(), {"schema": {}, "payload": {"order_id": "O-1"}}),
        {"order_id": "O-1"},
    ),
    "a deletion": (message(None), {"order_id": "O-1", "version": None, "lines": None}),
    "a deletion by an object": (message(None, {"order_id": "O-1"}), {"order_id": "O-1"}),
    "a deletion by a quoted key": (message(None, '"O-1"'), {"order_id": "O-1"}),
    "statuses in lower case": (message(order(status="returned")), {"status": "returned"}),
}


@pytest.fixture(scope="module")
def read(spark: SparkSession) -> dict[str, Row]:
    rows = read_orders(spark, [message for message, _ in READ.values()])
    return dict(zip(READ, rows, strict=True))


@pytest.mark.parametrize("case", READ)
def test_is_read(read: dict[str, Row], case: str) -> None:
    row, expected = read[case], READ[case][1]
    assert (row.reason_code, row.reason) == (None, None)
    assert {name: row[name] for name in expected} == expected


UNREADABLE: dict[str, tuple[Message, str]] = {
    "not UTF-8": (message(b"\xff"), "not_utf8"),
    "not JSON": (message(b"<order/>"), "not_json"),
    "a list": (message([order()]), "not_an_object"),
    "an unknown status": (message(order(status="lost")), "unknown_status"),
    "a status in capitals": (message(order(status="Placed")), "unknown_status"),
    "no status": (message(order(status=None)), "unknown_status"),
    "another currency": (message(order(currency="USD")), "wrong_currency"),
    "no currency": (message(without(order(), "currency")), "wrong_currency"),
    "a quantity of 0": (of_line(quantity=0), "invalid_quantity"),
    "no quantity": (of_line(quantity=None), "invalid_quantity"),
    "the second line's quantity": (message(order(lines=[line(), line(line_no=2, quantity=-1)])), "invalid_quantity"),
    "a negative returned quantity": (of_line(returned_quantity=-1), "invalid_returned_quantity"),
    "more came back than went out": (of_line(returned_quantity=3), "invalid_returned_quantity"),
    "a negative price": (of_line(unit_price="-0.01"), "invalid_price"),
    "a price with three decimals": (of_line(unit_price="12.999"), "invalid_price"),
    "a number with three decimals": (of_line(unit_price=12.999), "invalid_price"),
    "a price too large": (of_line(unit_price="100000000"), "invalid_price"),
    "no price": (of_line(unit_price=None), "invalid_price"),
    "a line_no twice": (message(order(lines=[line(), line(book_id=6)])), "duplicate_line_no"),
    "no line_no": (of_line(line_no=None), "missing_line_no"),
    "a line that is null": (message(order(lines=[None])), "missing_line_no"),
    "no lines": (message(order(lines=[])), "no_lines"),
    "lines are null": (message(order(lines=None)), "no_lines"),
    "an amount that no column holds": (of_line(quantity=2**31 - 1, unit_price="99999999.99"), "amount_out_of_range"),
    "no order_id": (message(without(order(), "order_id")), "missing_order_id"),
    "an empty order_id": (message(order(order_id="")), "missing_order_id"),
    "no version": (message(without(order(), "version")), "missing_version"),
    "no ordered_at": (message(order(ordered_at=None)), "missing_ordered_at"),
    "a deletion of nothing": (message(None, None), "missing_order_id"),
    "a deletion by an object without the id": (message(None, {"id": "O-1"}), "missing_order_id"),
    "a deletion by an unreadable key": (message(None, b"\xff"), "missing_order_id"),
    "an unreadable key": (message(order(), b"\xff"), "unreadable_key"),
    "a key that names another order": (message(order(), "O-2"), "key_contradicts_row"),
    "a version that is no number": (message(order(version="three")), "unreadable_value"),
    "a customer that is no number": (message(order(customer_id="seventeen")), "unreadable_value"),
    "a day that doesn't exist": (message(order(ordered_at="2026-02-30T10:00:00Z")), "unreadable_value"),
    "lines that are text": (message(order(lines="none")), "unreadable_value"),
    "a line that is text": (message(order(lines=["none"])), "unreadable_value"),
    "a quantity that is no number": (of_line(quantity="two"), "unreadable_value"),
    "a quantity with decimals": (of_line(quantity=1.5), "unreadable_value"),
    "a price that is no number": (of_line(unit_price="a lot"), "unreadable_value"),
    "a price too small to be read": (of_line(unit_price="1e-30"), "unreadable_value"),
}


@pytest.fixture(scope="module")
def refused(spark: SparkSession) -> dict[str, Row]:
    rows = read_orders(spark, [message for message, _ in UNREADABLE.values()])
    return dict(zip(UNREADABLE, rows, strict=True))


@pytest.mark.parametrize("case", UNREADABLE)
def test_is_quarantined(refused: dict[str, Row], case: str) -> None:
    message, reason_code = UNREADABLE[case]
    row = refused[case]
    assert row.reason_code == reason_code
    assert row.reason
    assert (row.key, row.value) == message


def test_the_currency_is_the_one_that_was_configured(spark: SparkSession) -> None:
    messages = arrived(spark, "bookstore.orders", [message(order()), message(order(currency="USD"))])
    rows = read_order_events(messages, "USD").orderBy("offset").collect()
    assert [row.reason_code for row in rows] == ["wrong_currency", None]
