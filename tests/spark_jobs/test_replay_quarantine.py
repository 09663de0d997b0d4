"""Messages in quarantine once more: to bronze once, or under their newest reason."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from spark_jobs.jobs import replay_quarantine
from spark_jobs.lake import Lake
from spark_jobs.tables import BOOKS_CHANGES, INGEST_AUDIT, ORDER_EVENTS, QUARANTINE, REPAIRS
from spark_jobs.topics import TOPICS
from tests.spark_jobs.lakehouse import append
from tests.spark_jobs.messages import NOW, Message, encode, order

ORDERS = "bookstore.orders"
GOOD = encode(order())
DOLLARS = encode(order(order_id="O-2", currency="USD"))
LOST = encode(order(order_id="O-3", status="lost"))
CUT = b'{"order_id":"O-4"'


@pytest.fixture
def lake(spark: SparkSession, lake: Lake) -> Lake:
    """Offset 0 is in bronze; 1, 2 and 3 are in quarantine; 4 came meanwhile and has no account yet."""
    lake.create(spark, *TOPICS.values(), QUARANTINE, INGEST_AUDIT, REPAIRS)
    append(spark, lake, ORDER_EVENTS, {**arrival(0, (None, GOOD)), "order_id": "O-1"})
    append(
        spark,
        lake,
        QUARANTINE,
        {**arrival(1, (b"O-2", DOLLARS)), "reason_code": "wrong_currency", "reason": "found USD"},
        {**arrival(2, (b"O-3", LOST)), "reason_code": "unknown_status", "reason": "found lost"},
        {**arrival(3, (None, CUT)), "reason_code": "not_utf8", "reason": "as older rules said"},
        {**arrival(4, (None, b"?")), "reason_code": "not_json", "reason": "still under way"},
    )
    accounted = {"batch_id": "s-1/0", "topic": ORDERS, "partition": 0, "first_offset": 0, "last_offset": 3}
    append(spark, lake, INGEST_AUDIT, {**accounted, "bronze_rows": 1, "quarantine_rows": 3, "missing_offsets": 0})
    return lake


def arrival(offset: int, message: Message) -> dict[str, Any]:
    key, value = message
    return {
        "topic": ORDERS,
        "partition": 0,
        "offset": offset,
        "kafka_timestamp": NOW,
        "key": key,
        "value": value,
        "ingested_at": NOW,
    }


def repair(
    spark: SparkSession, lake: Lake, offset: int, value: object, *, minute: int = 0, key: bytes | None = None
) -> None:
    row = {"topic": ORDERS, "partition": 0, "offset": offset, "key": key, "value": encode(value), "note": "by hand"}
    append(spark, lake, REPAIRS, {**row, "repaired_at": NOW + dt.timedelta(minutes=minute)})


def run(spark: SparkSession, lake: Lake, **arguments: Any) -> dict[str, Any]:
    return replay_quarantine.run(spark, replay_quarantine.Config(lake.root, **arguments))


def bronze(spark: SparkSession, lake: Lake) -> list[tuple[int, str, bytes]]:
    rows = lake.read(spark, ORDER_EVENTS).orderBy("offset").select("offset", "order_id", "value").collect()
    return [tuple(row) for row in rows]


def quarantine(spark: SparkSession, lake: Lake) -> dict[int, str]:
    rows = lake.read(spark, QUARANTINE).orderBy("offset").select("offset", "reason_code").collect()
    return {row.offset: row.reason_code for row in rows}


def account(spark: SparkSession, lake: Lake) -> Row:
    """Sums of the account of every offset."""
    audit = lake.read(spark, INGEST_AUDIT)
    sums = "sum(bronze_rows) good", "sum(quarantine_rows) bad", "sum(last_offset - first_offset + 1) offsets"
    return audit.selectExpr(*sums).collect()[0]


def test_what_can_be_read_now_goes_to_bronze_and_the_rest_has_its_newest_reason(
    spark: SparkSession, lake: Lake
) -> None:
    repair(spark, lake, 2, order(order_id="O-3", status="lost again"), minute=1)
    repair(spark, lake, 2, order(order_id="O-3", status="paid"), minute=2)
    repair(spark, lake, 2, "{", minute=0)

    assert run(spark, lake) == {"rows": 1, "still_quarantined": 3}
    assert bronze(spark, lake) == [(0, "O-1", GOOD), (2, "O-3", LOST)]
    assert quarantine(spark, lake) == {1: "wrong_currency", 3: "not_json", 4: "not_json"}
    assert account(spark, lake) == Row(good=2, bad=2, offsets=4)
    row = lake.read(spark, ORDER_EVENTS).where("offset = 2").select("status", "key", "kafka_timestamp").collect()
    assert (row[0].status, row[0].key) == ("paid", b"O-3")

    assert run(spark, lake) == {"rows": 0, "still_quarantined": 3}
    assert len(bronze(spark, lake)) == 2
    assert account(spark, lake) == Row(good=2, bad=2, offsets=4)


@pytest.mark.full
def test_better_rules_read_what_they_are_asked_to(spark: SparkSession, lake: Lake) -> None:
    assert run(spark, lake, topic="bookstore.books", currency="USD") == {"rows": 0, "still_quarantined": 0}
    assert run(spark, lake, reason_code="unknown_status", currency="USD") == {"rows": 0, "still_quarantined": 1}
    assert run(spark, lake, reason_code="wrong_currency", currency="USD") == {"rows": 1, "still_quarantined": 0}
    assert bronze(spark, lake) == [(0, "O-1", GOOD), (1, "O-2", DOLLARS)]
    assert quarantine(spark, lake) == {2: "unknown_status", 3: "not_utf8", 4: "not_json"}


@pytest.mark.full
def test_a_repaired_key_is_used_and_not_stored(spark: SparkSession, lake: Lake) -> None:
    repair(spark, lake, 3, order(order_id="O-4"), key=b"O-4")
    run(spark, lake)
    row = lake.read(spark, ORDER_EVENTS).where("offset = 3").collect()[0]
    assert (row.order_id, row.key, row.value) == ("O-4", None, CUT)


@pytest.mark.full
@pytest.mark.parametrize("step", ["_append", "_leave_quarantine", "record_moves"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_anywhere_and_repeated_it_moves_each_message_once(
    spark: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    repair(spark, lake, 2, order(order_id="O-3", status="paid"))
    done: Callable[..., None] = getattr(replay_quarantine, step)

    def die(*arguments: Any) -> None:
        if when == "after":
            done(*arguments)
        raise RuntimeError("the power went out")

    with monkeypatch.context() as patch:
        patch.setattr(replay_quarantine, step, die)
        with pytest.raises(RuntimeError, match="the power went out"):
            run(spark, lake)
    run(spark, lake)
    assert bronze(spark, lake) == [(0, "O-1", GOOD), (2, "O-3", LOST)]
    assert quarantine(spark, lake) == {1: "wrong_currency", 3: "not_json", 4: "not_json"}
    assert account(spark, lake) == Row(good=2, bad=2, offsets=4)


@pytest.mark.full
def test_a_book_is_replayed_as_the_change_that_it_is(spark: SparkSession, lake: Lake) -> None:
    value = encode({"op": "c", "ts_ms": 7, "after": {"book_id": 5, "title": "Flatland"}})
    row = {**arrival(0, (None, value)), "topic": "bookstore.books", "reason_code": "not_json", "reason": "?"}
    append(spark, lake, QUARANTINE, row)
    assert run(spark, lake, topic="bookstore.books")["rows"] == 1
    (book,) = lake.read(spark, BOOKS_CHANGES).select("op", "sequence", "book_id", "title", "offset").collect()
    assert book == Row(op="c", sequence=Row(ts_ms=7, lsn=0), book_id=5, title="Flatland", offset=0)
