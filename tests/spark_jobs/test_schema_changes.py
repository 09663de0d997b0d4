"""What producers change: new fields reach silver as columns, changed types go to quarantine, both are recorded."""

from dataclasses import dataclass
from typing import Any

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from spark_jobs import bronze, schema_changes
from spark_jobs.jobs import merge_customers, merge_orders, replay_quarantine, upsert_books
from spark_jobs.lake import Lake
from spark_jobs.tables import (
    BOOK_REVISIONS,
    BOOKS_CHANGES,
    BOOKS_HISTORY,
    CUSTOMERS,
    CUSTOMERS_CHANGES,
    ORDER_EVENTS,
    ORDERS,
    SCHEMA_CHANGES,
    Table,
    types,
)
from tests.broker import Broker
from tests.spark_jobs import ingesting
from tests.spark_jobs.ingesting import run
from tests.spark_jobs.messages import Message, change, encode, line, order

LINE = ("book_id: BIGINT", "line_no: BIGINT", "quantity: STRING", "returned_quantity: BIGINT", "unit_price: STRING")


def customer(number: int, **fields: Any) -> Message:
    return None, encode(change("c", {"customer_id": number, **fields}, ts_ms=number))


def recorded(spark: SparkSession, lake: Lake) -> list[tuple[Any, ...]]:
    """Topic, field, change, type, and where it was seen first."""
    rows = lake.read(spark, SCHEMA_CHANGES).drop("batch_id", "seen_at").collect()
    return sorted((row.topic.removeprefix("bookstore."), *row[1:]) for row in rows)


def column(spark: SparkSession, lake: Lake, table: Table, *names: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in lake.read(spark, table).select(*names).collect())


@dataclass(frozen=True)
class NewFields:
    """Messages with fields that those before them lack, and what becomes of them."""

    topic: str
    step: Any
    source: Table
    target: Table
    before: Message
    after: Message
    changes: list[tuple[Any, ...]]
    columns: tuple[str, ...]
    silver: list[tuple[Any, ...]]


OF_CUSTOMERS = NewFields(
    *(ingesting.CUSTOMERS, merge_customers, CUSTOMERS_CHANGES, CUSTOMERS),
    before=customer(1),
    after=customer(2, tier="gold"),
    changes=[("customers", "tier", "added", "STRING", 0, 1)],
    columns=("customer_id", "tier"),
    silver=[(1, None), (2, "gold")],
)
OF_BOOKS = NewFields(
    *(ingesting.BOOKS, upsert_books, BOOKS_CHANGES, BOOKS_HISTORY),
    before=(None, encode(change("c", {"book_id": 1}))),
    after=(None, encode({"payload": change("u", {"book_id": 1, "pages": 412}, ts_ms=2_000)})),
    changes=[("books", "pages", "added", "BIGINT", 0, 1)],
    columns=("__START_AT.ts_ms", "pages"),
    silver=[(1_000, None), (2_000, "412")],
)
OF_ORDERS = NewFields(
    *(ingesting.ORDERS, merge_orders, ORDER_EVENTS, ORDERS),
    before=(None, encode(order(order_id="O-1"))),
    after=(None, encode(order(order_id="O-2", channel={"app": [1]}, gift=None))),
    changes=[
        ("orders", "channel", "added", "OBJECT<app: ARRAY<BIGINT>>", 0, 1),
        ("orders", "gift", "added", "VOID", 0, 1),
    ],
    columns=("order_id", "channel", "gift"),
    silver=[("O-1", None, None), ("O-2", '{"app":[1]}', None)],
)


@pytest.mark.parametrize(
    "new",
    [OF_CUSTOMERS, *[pytest.param(new, marks=pytest.mark.full) for new in (OF_BOOKS, OF_ORDERS)]],
    ids=lambda new: new.topic,
)
def test_a_new_field_is_a_column_in_bronze_and_in_silver(
    spark: SparkSession, lake: Lake, broker: Broker, new: NewFields
) -> None:
    lake.create(spark, BOOKS_HISTORY, BOOK_REVISIONS)  # without books, no order is described
    for message in (new.before, new.after):
        broker.produce(new.topic, [message])
        run(spark, lake, broker)
        new.step.run(spark, new.step.Config(lake.root))
    assert recorded(spark, lake) == new.changes
    columns = [*types(new.source.columns), *(field for _, field, *_ in new.changes)]
    assert lake.read(spark, new.source).columns == columns
    assert column(spark, lake, new.target, *new.columns) == new.silver


@pytest.mark.full
def test_nothing_is_looked_for_where_nothing_is_new(
    spark: SparkSession, lake: Lake, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[set[str]] = []
    record = schema_changes.record_news

    def counted(read: dict[str, Any], *others: Any) -> Any:
        calls.append(set(read))
        return record(read, *others)

    monkeypatch.setattr(bronze, "record_news", counted)
    for number in (1, 2):
        broker.produce(ingesting.CUSTOMERS, [customer(number, tier="gold")])
        broker.produce(ingesting.ORDERS, [(None, encode(order(customer_id="?"))), *ingesting.orders(number)])
        run(spark, lake, broker)
    assert calls == [{ingesting.CUSTOMERS, ingesting.ORDERS}]
    assert column(spark, lake, CUSTOMERS_CHANGES, "tier") == [("gold",), ("gold",)]


def test_a_type_that_cannot_be_read_is_recorded_with_what_was_found(
    spark: SparkSession, lake: Lake, broker: Broker
) -> None:
    broker.produce(ingesting.CUSTOMERS, [customer(1, marketing_consent={"mail": True}, tier="gold")])
    found = [order(customer_id=[17]), order(customer_id="?"), order(lines=[line(quantity="two")]), order(version=1.5)]
    broker.produce(ingesting.ORDERS, [(None, encode(each)) for each in found])
    assert run(spark, lake, broker)["quarantined"] == 5
    assert recorded(spark, lake) == [
        ("customers", "marketing_consent", "changed", "OBJECT<mail: BOOLEAN>", 0, 0),
        ("orders", "customer_id", "changed", "ARRAY<BIGINT>", 0, 0),
        ("orders", "lines", "changed", f"ARRAY<OBJECT<{', '.join(LINE)}>>", 0, 2),
        ("orders", "version", "changed", "DECIMAL(2,1)", 0, 3),
    ]


@pytest.mark.full
def test_a_name_that_cannot_be_a_columns_is_recorded_and_stays_in_value(
    spark: SparkSession, lake: Lake, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_changes, "MOST_FIELDS", 2)
    broker.produce(ingesting.CUSTOMERS, [customer(1, Email="A", op="x", **{"a b": 1, "ü": 2, "net_amount": 3})])
    broker.produce(ingesting.CUSTOMERS, [customer(2, a="1", b="2", c="3")])
    run(spark, lake, broker)
    run(spark, lake, broker)
    ignored = {"Email": 0, "a b": 0, "c": 1, "net_amount": 0, "op": 0, "ü": 0}
    assert [(row[1], row[5]) for row in recorded(spark, lake) if row[2] == "ignored"] == [*ignored.items()]
    assert lake.read(spark, CUSTOMERS_CHANGES).columns == [*types(CUSTOMERS_CHANGES.columns), "a", "b"]


@pytest.mark.full
@pytest.mark.parametrize("last", [SCHEMA_CHANGES, ORDER_EVENTS], ids=lambda table: table.name)
def test_a_batch_that_died_behind_a_record_is_completed(
    spark: SparkSession, lake: Lake, broker: Broker, monkeypatch: pytest.MonkeyPatch, last: Table
) -> None:
    broker.produce(ingesting.ORDERS, [(None, encode(order(channel="app")))])
    with ingesting.dying_behind(monkeypatch, last), pytest.raises(StreamingQueryException, match="the power went out"):
        run(spark, lake, broker)
    run(spark, lake, broker)
    assert recorded(spark, lake) == [("orders", "channel", "added", "STRING", 0, 0)]
    assert column(spark, lake, ORDER_EVENTS, "channel") == [("app",)]


@pytest.mark.full
def test_a_replayed_message_has_its_new_fields(spark: SparkSession, lake: Lake, broker: Broker) -> None:
    broker.produce(ingesting.ORDERS, [(None, encode(order(channel=name, currency=name))) for name in ("EUR", "USD")])
    run(spark, lake, broker)
    replay_quarantine.run(spark, replay_quarantine.Config(lake.root, currency="USD"))
    assert column(spark, lake, ORDER_EVENTS, "offset", "channel") == [(0, "EUR"), (1, "USD")]
