"""What is read of change events, and under which reason the rest goes to quarantine."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from spark_jobs.tables import BOOK_ROW, BOOKS_CHANGES, CUSTOMER_ROW, CUSTOMERS_CHANGES, QUARANTINE, types
from spark_jobs.transforms.changes import BOOK_CHANGES, CUSTOMER_CHANGES, read_changes
from tests.spark_jobs.messages import Message, arrived, change, encode, local, without

CUSTOMER = {
    "customer_id": 17,
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "city": "London",
    "country": "GB",
    "marketing_consent": True,
    "created_at": "2026-01-01T09:00:00Z",
    "updated_at": "2026-01-31T10:15:00.123456Z",
}
BOOK = {
    "book_id": 5,
    "isbn": "9780000000005",
    "title": "Flatland",
    "author": "E. A. Abbott",
    "genre": "fiction",
    "publisher": "Seeley",
    "price": "12.99",
    "published_on": "1884-11-01",
    "updated_at": "2026-01-31T10:15:00Z",
}
KEY = {"book_id": 5}


def message(value: object, key: object = None) -> Message:
    return encode(key), encode(value)


def book(op: str = "u", **fields: Any) -> dict[str, Any]:
    return change(op, {**BOOK, **fields})


def wrapped(payload: object) -> dict[str, object]:
    return {"schema": {"type": "struct", "fields": [{"field": "after"}]}, "payload": payload}


def encoded(column: str, value: object, name: str, op: str = "u", **parameters: str) -> Message:
    """A change of a book, wrapped with a block that says how a column is written."""
    field = {"type": "any", "optional": True, "name": name, "parameters": parameters, "field": column}
    images = [{"type": "struct", "fields": [field], "field": image} for image in ("before", "after")]
    payload = book(op, **{column: value})
    return message({"schema": {"type": "struct", "fields": images}, "payload": payload})


def read_books(spark: SparkSession, messages: list[Message]) -> list[Row]:
    """What was read of each message, in order."""
    return collected(read_changes(arrived(spark, "bookstore.books", messages), BOOK_CHANGES))


def collected(rows: DataFrame) -> list[Row]:
    return rows.orderBy("offset").collect()


def fields(row: Row, columns: str) -> dict[str, Any]:
    return {name: row[name] for name in types(columns)}


def test_columns_are_those_of_the_tables_and_the_reason(spark: SparkSession) -> None:
    books = read_changes(arrived(spark, "bookstore.books", []), BOOK_CHANGES)
    customers = read_changes(arrived(spark, "bookstore.customers", []), CUSTOMER_CHANGES)
    reason = dict(list(types(QUARANTINE.columns).items())[-2:])
    assert dict(books.dtypes) == types(BOOKS_CHANGES.columns) | {"others": "string"} | reason
    assert dict(customers.dtypes) == types(CUSTOMERS_CHANGES.columns) | {"others": "string"} | reason


def test_every_column_of_a_customer_is_read(spark: SparkSession) -> None:
    messages = [message(change("c", CUSTOMER), {"customer_id": 17})]
    (row,) = collected(read_changes(arrived(spark, "bookstore.customers", messages), CUSTOMER_CHANGES))
    moments = {
        "created_at": local("2026-01-01T09:00:00Z"),
        "updated_at": local("2026-01-31T10:15:00.123456Z"),
    }
    assert fields(row, CUSTOMER_ROW) == CUSTOMER | moments
    assert (row.op, row.sequence, row.reason_code) == ("c", Row(ts_ms=1_000, lsn=1), None)
    assert (row.key, row.value) == messages[0]


def test_every_column_of_a_book_is_read(spark: SparkSession) -> None:
    (row,) = read_books(spark, [message(book("c"), KEY)])
    typed = {
        "price": Decimal("12.99"),
        "published_on": dt.date(1884, 11, 1),
        "updated_at": local("2026-01-31T10:15:00Z"),
    }
    assert fields(row, BOOK_ROW) == BOOK | typed


READ: dict[str, tuple[Message, dict[str, Any]]] = {
    "wrapped with its schema": (message(wrapped(book())), {"op": "u", "title": "Flatland"}),
    "a key wrapped with its schema": (message(book(), wrapped(KEY)), {"book_id": 5}),
    "the row's id counts where the key is null": (message(book(book_id=6)), {"book_id": 6}),
    "an id as text": (message(book(book_id="5"), KEY), {"book_id": 5}),
    "only the id is required": (message(change("r", {"book_id": 5})), {"op": "r", "title": None, "price": None}),
    "fields that nobody knows": (message(book(weight=3, tags=[{}])), {"title": "Flatland"}),
    "a price as a number": (message(book(price=12.99)), {"price": Decimal("12.99")}),
    "the largest price": (message(book(price=99999999.99)), {"price": Decimal("99999999.99")}),
    "a price with trailing zeros": (message(book(price="12.9900")), {"price": Decimal("12.99")}),
    "a price with an exponent": (
        message(b'{"op":"c","ts_ms":1,"after":{"book_id":5,"price":1.5E7}}'),
        {"price": Decimal("15000000.00")},
    ),
    "an offset from UTC": (
        message(book(updated_at="2026-01-31T10:15:00+02:00")),
        {"updated_at": local("2026-01-31T08:15:00Z")},
    ),
    "the last of two fields of one name": (
        message(b'{"op":"c","ts_ms":1,"after":{"book_id":5,"book_id":6}}'),
        {"book_id": 6},
    ),
    "spaces around": (message(b' {"op":"c","ts_ms":1,"after":{"book_id":5}}\n'), {"book_id": 5}),
    "a precise decimal": (
        encoded("price", "BRM=", "org.apache.kafka.connect.data.Decimal", scale="2"),
        {"price": Decimal("12.99")},
    ),
    "a precise decimal below 0": (
        encoded("price", "+u0=", "org.apache.kafka.connect.data.Decimal", scale="2"),
        {"price": Decimal("-12.99")},
    ),
    "a precise decimal that was written as a number": (
        encoded("price", 12.99, "org.apache.kafka.connect.data.Decimal", scale="2"),
        {"price": Decimal("12.99")},
    ),
    "a decimal with a scale of its own": (
        encoded("price", {"scale": 4, "value": "Afts"}, "io.debezium.data.VariableScaleDecimal"),
        {"price": Decimal("12.99")},
    ),
    "milliseconds": (
        encoded("updated_at", 1_769_854_500_123, "io.debezium.time.Timestamp"),
        {"updated_at": local("2026-01-31T10:15:00.123Z")},
    ),
    "microseconds before 1970": (
        encoded("updated_at", -1, "io.debezium.time.MicroTimestamp"),
        {"updated_at": local("1969-12-31T23:59:59.999999Z")},
    ),
    "nanoseconds": (
        encoded("updated_at", 1_769_854_500_123_456_789, "io.debezium.time.NanoTimestamp"),
        {"updated_at": local("2026-01-31T10:15:00.123456Z")},
    ),
    "a zoned timestamp": (
        encoded("updated_at", "2026-01-31T10:15:00Z", "io.debezium.time.ZonedTimestamp"),
        {"updated_at": local("2026-01-31T10:15:00Z")},
    ),
    "days": (encoded("published_on", -31_106, "io.debezium.time.Date"), {"published_on": dt.date(1884, 11, 1)}),
    "days of a row before": (
        encoded("published_on", 0, "org.apache.kafka.connect.data.Date", op="d"),
        {"published_on": dt.date(1970, 1, 1)},
    ),
    "an ISO date with its zone": (
        encoded("published_on", "1884-11-01Z", "io.debezium.time.IsoDate"),
        {"published_on": dt.date(1884, 11, 1)},
    ),
    "a delete has the row before": (message(book("d"), KEY), {"op": "d", "title": "Flatland"}),
    "a delete of which the key alone says what": (message(change("d", None), KEY), {"op": "d", "book_id": 5}),
    "a delete whose row has no id": (message(change("d", {"title": "x"}), KEY), {"op": "d", "book_id": 5}),
    "a tombstone": (message(None, KEY), {"op": None, "sequence": None, "book_id": 5, "title": None}),
    "a tombstone without a key": (message(None), {"op": None, "sequence": None, "book_id": None}),
    "a tombstone with an unreadable key": (message(None, b"\xff"), {"op": None, "book_id": None}),
    "ts_ms where the source has none": (
        message({**book(), "source": {"lsn": 7}}),
        {"sequence": Row(ts_ms=1_005, lsn=7)},
    ),
    "no source": (message(without(book(), "source")), {"sequence": Row(ts_ms=1_005, lsn=0)}),
    "pos where there is no lsn": (
        message({**book(), "source": {"ts_ms": 9, "pos": 8}}),
        {"sequence": Row(ts_ms=9, lsn=8)},
    ),
    "no position": (message({**book(), "source": {"ts_ms": 9}}), {"sequence": Row(ts_ms=9, lsn=0)}),
}


@pytest.fixture(scope="module")
def read(spark: SparkSession) -> dict[str, Row]:
    rows = read_books(spark, [message for message, _ in READ.values()])
    return dict(zip(READ, rows, strict=True))


@pytest.mark.parametrize("case", READ)
def test_is_read(read: dict[str, Row], case: str) -> None:
    row, expected = read[case], READ[case][1]
    assert (row.reason_code, row.reason) == (None, None)
    assert {name: row[name] for name in expected} == expected


UNREADABLE: dict[str, tuple[Message, str, str]] = {
    "not UTF-8": (message(b'{"op":"\xff"}'), "not_utf8", "UTF-8"),
    "cut short": (message(b'{"op":"c"'), "not_json", "not JSON"),
    "empty": (message(b""), "not_json", "not JSON"),
    "more behind the object": (message(b'{"op":"c"} x'), "not_json", "not JSON"),
    "a bracket too many": (message(b'{"op":"c"}}'), "not_json", "not JSON"),
    "two objects": (message(b'{"op":"c"},{"op":"c"}'), "not_json", "not JSON"),
    "an object and a field": (message(b'{"op":"c"},"op":"c"'), "not_json", "not JSON"),
    "quotes that JSON hasn't": (message(b"{'op':'c'}"), "not_json", "not JSON"),
    "a number that JSON hasn't": (message(b'{"op":NaN}'), "not_json", "not JSON"),
    "nested too deeply": (message(b'{"op":' + b"[" * 5_000 + b"]" * 5_000 + b"}"), "not_json", "not JSON"),
    "a list": (message([book()]), "not_an_object", "other JSON"),
    "a number": (message(b"42"), "not_an_object", "other JSON"),
    "the word null": (message(b"null"), "not_an_object", "other JSON"),
    "a row that is text": (message({**book(), "after": "x"}), "unreadable_value", "an object or a list"),
    "a source that is text": (message({**book(), "source": "x"}), "unreadable_value", "an object or a list"),
    "an op that nobody knows": (message(book("x")), "unknown_op", "found x"),
    "no op": (message(without(book(), "op")), "unknown_op", "found none"),
    "neither bare nor wrapped": (message({}), "unknown_op", "found none"),
    "a truncate": (message({"op": "t", "ts_ms": 1}), "unsupported_truncate", "history"),
    "no time": (message({"op": "c", "after": BOOK}), "missing_sequence", "ts_ms"),
    "a time that is none": (message({**book(), "source": {"ts_ms": "x"}}), "unreadable_value", "ts_ms must be"),
    "a time past the year 9999": (message({**book(), "source": {"ts_ms": 2**62}}), "unreadable_value", "ts_ms must be"),
    "a position that is none": (message({**book(), "source": {"ts_ms": 1, "lsn": "x"}}), "unreadable_value", "lsn"),
    "no row": (message(change("u", None), KEY), "missing_row", "after the change"),
    "no id": (message(change("c", without(BOOK, "book_id")), KEY), "missing_book_id", "book_id is required"),
    "an id that is null": (message(book(book_id=None)), "missing_book_id", "book_id is required"),
    "a delete of nothing": (message(change("d", None)), "missing_book_id", "book_id is required"),
    "an id that is no number": (
        message(book(book_id="five")),
        "unreadable_value",
        "book_id must be bigint, found five",
    ),
    "an id with decimals": (message(book(book_id=5.5)), "unreadable_value", "book_id must be bigint, found 5.5"),
    "an id too large": (message(book(book_id=2**63)), "unreadable_value", "book_id must be bigint"),
    "a price that is no number": (
        message(book(price="abc")),
        "unreadable_value",
        "price must be decimal(10,2), found abc",
    ),
    "a decimal comma": (message(book(price="12,99")), "unreadable_value", "price must be decimal(10,2), found 12,99"),
    "three decimals": (message(book(price="12.999")), "unreadable_value", "found 12.999"),
    "a decimal that a double loses": (
        message(b'{"op":"c","ts_ms":1,"after":{"book_id":5,"price":12.9900000000000001}}'),
        "unreadable_value",
        "found 12.9900000000000001",
    ),
    "a price too large": (message(book(price="100000000")), "unreadable_value", "found 100000000"),
    "a price that is infinite": (
        message(b'{"op":"c","ts_ms":1,"after":{"book_id":5,"price":1e400}}'),
        "unreadable_value",
        "found Infinity",
    ),
    "a price that is a list": (message(book(price=[1])), "unreadable_value", "found [1]"),
    "a date that doesn't exist": (
        message(book(published_on="2026-02-30")),
        "unreadable_value",
        "published_on must be date",
    ),
    "a date as days": (message(book(published_on=20_000)), "unreadable_value", "found 20000"),
    "a time that doesn't exist": (
        message(book(updated_at="2026-01-31T25:00:00Z")),
        "unreadable_value",
        "updated_at must",
    ),
    "milliseconds past the year 9999": (
        encoded("updated_at", 253_402_300_800_000, "io.debezium.time.Timestamp"),
        "unreadable_value",
        "found 253402300800000",
    ),
    "a text where the block says milliseconds": (
        encoded("updated_at", "2026-01-31T10:15:00Z", "io.debezium.time.Timestamp"),
        "unreadable_value",
        "updated_at must be timestamp",
    ),
    "milliseconds that no block names": (
        message(book(updated_at=1_769_854_500_123)),
        "unreadable_value",
        "found 1769854500123",
    ),
    "bytes that are no base64": (
        encoded("price", "12.99", "org.apache.kafka.connect.data.Decimal", scale="2"),
        "unreadable_value",
        "price must be decimal(10,2), found 12.99",
    ),
    "a precise decimal without a scale": (
        encoded("price", "BRM=", "org.apache.kafka.connect.data.Decimal"),
        "unreadable_value",
        "found BRM=",
    ),
    "a precise decimal with three decimals": (
        encoded("price", "BRM=", "org.apache.kafka.connect.data.Decimal", scale="3"),
        "unreadable_value",
        "found BRM=",
    ),
    "half of a surrogate pair": (
        message(b'{"op":"c","ts_ms":1,"after":{"book_id":5,"title":"\\ud83d"}}'),
        "unreadable_value",
        "surrogate",
    ),
    "a number with a line break": (
        message(book(published_on="2026-01-31\n")),
        "unreadable_value",
        "published_on must be date",
    ),
    "a time of day": (
        message(book(updated_at="10:15:00")),
        "unreadable_value",
        "updated_at must be timestamp, found 10",
    ),
    "a key that names another row": (
        message(book(), {"book_id": 6}),
        "key_contradicts_row",
        "the key says book_id 6, the row 5",
    ),
    "a delete whose key names another row": (message(book("d"), {"book_id": 6}), "key_contradicts_row", "book_id 6"),
    "a key that is not JSON": (message(book(), b"5"), "unreadable_key", '{"book_id": a whole number}'),
    "a key without the id": (message(book(), {"id": 5}), "unreadable_key", '{"book_id": a whole number}'),
}


@pytest.fixture(scope="module")
def refused(spark: SparkSession) -> dict[str, Row]:
    rows = read_books(spark, [message for message, _, _ in UNREADABLE.values()])
    return dict(zip(UNREADABLE, rows, strict=True))


@pytest.mark.parametrize("case", UNREADABLE)
def test_is_quarantined(refused: dict[str, Row], case: str) -> None:
    message, reason_code, reason = UNREADABLE[case]
    row = refused[case]
    assert row.reason_code == reason_code
    assert reason in row.reason
    assert (row.key, row.value) == message


def test_a_truncate_of_customers_is_read_whatever_its_key(spark: SparkSession) -> None:
    truncate = {"op": "t", "source": {"ts_ms": 9, "lsn": 3}}
    messages = [message(truncate), message(wrapped(truncate), b"?")]
    rows = collected(read_changes(arrived(spark, "bookstore.customers", messages), CUSTOMER_CHANGES))
    read = [(row.op, row.sequence, row.customer_id, row.reason_code) for row in rows]
    assert read == [("t", Row(ts_ms=9, lsn=3), None, None)] * 2
