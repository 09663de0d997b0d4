"""Kafka to bronze with a real broker: every message once, whatever died."""

from typing import Any

import pytest
from confluent_kafka import Producer
from pyspark.errors import StreamingQueryException
from pyspark.sql import Row, SparkSession

from spark_jobs.ingest_audit import NO_MESSAGE
from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMERS_CHANGES, INGEST_AUDIT, ORDER_EVENTS, QUARANTINE, Table
from tests.broker import Broker
from tests.spark_jobs.ingesting import BOOKS, CUSTOMERS, ORDERS, dying_behind, orders, run, stored
from tests.spark_jobs.messages import change, encode


def result(customers: int = 0, books: int = 0, orders: int = 0, quarantined: int = 0) -> dict[str, Any]:
    tables = {"customers_changes": customers, "books_changes": books, "order_events": orders}
    return {"rows": customers + books + orders, "quarantined": quarantined, "tables": tables}


def test_each_message_goes_where_it_belongs_once(spark: SparkSession, lake: Lake, broker: Broker) -> None:
    assert run(spark, lake, broker) == result()

    customer = encode(change("c", {"customer_id": 1}))
    broker.produce(CUSTOMERS, [(None, customer), (b'{"customer_id":1}', None)])
    broker.produce(BOOKS, [(None, encode({"op": "t", "ts_ms": 1}))])
    broker.produce(ORDERS, [*orders(1), (b"O-2", b"\xff\x00"), *orders(3), (b"O-3", None)])
    assert run(spark, lake, broker, max_offsets_per_trigger=3) == result(customers=2, orders=3, quarantined=2)
    assert run(spark, lake, broker) == result()

    assert stored(spark, lake, CUSTOMERS_CHANGES) == [(CUSTOMERS, 0, 0), (CUSTOMERS, 0, 1)]
    assert stored(spark, lake, ORDER_EVENTS) == [(ORDERS, 0, offset) for offset in (0, 2, 3)]
    quarantine = lake.read(spark, QUARANTINE).orderBy("topic").select("offset", "key", "value", "reason_code")
    assert quarantine.collect() == [
        Row(offset=0, key=None, value=b'{"op": "t", "ts_ms": 1}', reason_code="unsupported_truncate"),
        Row(offset=1, key=b"O-2", value=b"\xff\x00", reason_code="not_utf8"),
    ]
    kept = lake.read(spark, CUSTOMERS_CHANGES).orderBy("offset").select("key", "value", "customer_id").collect()
    assert kept == [
        Row(key=None, value=customer, customer_id=1),
        Row(key=b'{"customer_id":1}', value=None, customer_id=1),
    ]

    audit = lake.read(spark, INGEST_AUDIT).orderBy("topic", "first_offset").collect()
    audited = [(row.topic, 0, offset) for row in audit for offset in range(row.first_offset, row.last_offset + 1)]
    assert audited == stored(spark, lake)
    assert sum(row.missing_offsets for row in audit) == 0


@pytest.mark.full
@pytest.mark.parametrize("table", [QUARANTINE, ORDER_EVENTS, INGEST_AUDIT], ids=lambda table: table.name)
def test_a_batch_that_died_after_a_write_is_completed_and_not_repeated(
    spark: SparkSession, lake: Lake, broker: Broker, monkeypatch: pytest.MonkeyPatch, table: Table
) -> None:
    broker.produce(ORDERS, [*orders(1, 2), (b"O-3", b"?")])
    with dying_behind(monkeypatch, table), pytest.raises(StreamingQueryException, match="the power went out"):
        run(spark, lake, broker)
    broker.produce(ORDERS, orders(4))
    run(spark, lake, broker)
    assert stored(spark, lake) == [(ORDERS, 0, offset) for offset in range(4)]
    audit = lake.read(spark, INGEST_AUDIT).orderBy("first_offset").collect()
    assert [(row.first_offset, row.last_offset, row.bronze_rows, row.quarantine_rows) for row in audit] == [
        (0, 2, 2, 1),
        (3, 3, 1, 0),
    ]


def test_only_committed_messages_are_read_and_markers_are_accounted_for(
    spark: SparkSession, lake: Lake, broker: Broker
) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "transactional.id": "shop"})
    producer.init_transactions(30)
    for number, end in ((1, producer.commit_transaction), (2, producer.abort_transaction)):
        producer.begin_transaction()
        ((key, value),) = orders(number)
        producer.produce(ORDERS, value, key, 0)
        assert producer.flush(30) == 0
        end(30)
    assert run(spark, lake, broker) == result(orders=1)
    (audit,) = lake.read(spark, INGEST_AUDIT).collect()
    assert (audit.first_offset, audit.last_offset, audit.bronze_rows) == (0, 3, 1)
    assert (audit.missing_offsets, audit.missing_reason) == (3, NO_MESSAGE)
