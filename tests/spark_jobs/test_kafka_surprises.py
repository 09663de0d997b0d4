"""What Kafka itself does to a topic, with a real broker: nothing is lost without a word, nothing comes twice."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from localcloud.waiting import wait_until
from spark_jobs.errors import LostMessagesError, RecreatedTopicError, StaleBronzeError
from spark_jobs.ingest_audit import LOST
from spark_jobs.jobs import ingest_events
from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMERS_CHANGES, INGEST_AUDIT, ORDER_EVENTS, QUARANTINE, Table
from tests.broker import Broker
from tests.spark_jobs.ingesting import CUSTOMERS, ORDERS, dying_behind, orders, run, stored
from tests.spark_jobs.messages import change, encode, order


def audited(spark: SparkSession, lake: Lake) -> list[tuple[int, int, int, str | None]]:
    """Ranges with what is missing in them."""
    rows = lake.read(spark, INGEST_AUDIT).orderBy("topic", "partition", "first_offset").collect()
    return [(row.first_offset, row.last_offset, row.missing_offsets, row.missing_reason) for row in rows]


def test_messages_that_kafka_deleted_stop_the_job_until_somebody_says_to_go_on(
    spark: SparkSession, lake: Lake, broker: Broker
) -> None:
    broker.produce(ORDERS, orders(1, 2))
    run(spark, lake, broker)
    broker.produce(ORDERS, orders(3, 4, 5, 6))
    broker.delete_before(ORDERS, 4)

    with pytest.raises(
        LostMessagesError, match=r"these are gone: bookstore\.orders partition 0 offsets 2 to 3"
    ) as lost:
        run(spark, lake, broker)
    assert stored(spark, lake) == [(ORDERS, 0, 0), (ORDERS, 0, 1)]

    result = run(spark, lake, broker, lost_messages="record")
    assert (result["rows"], result["lost"]) == (2, str(lost.value))
    assert stored(spark, lake) == [(ORDERS, 0, offset) for offset in (0, 1, 4, 5)]
    assert audited(spark, lake) == [(0, 1, 0, None), (2, 5, 2, LOST)]
    assert "lost" not in run(spark, lake, broker)


@pytest.mark.full
@pytest.mark.parametrize("policy", ["stop", "record"])
def test_a_topic_that_was_made_anew_is_refused(spark: SparkSession, lake: Lake, broker: Broker, policy: str) -> None:
    broker.produce(ORDERS, orders(1, 2, 3))
    run(spark, lake, broker)
    broker.empty()
    broker.produce(ORDERS, orders(4))

    for _ in range(2):
        with pytest.raises(RecreatedTopicError, match=r"bookstore\.orders partition 0 .* deleted or made anew"):
            run(spark, lake, broker, lost_messages=policy)
    assert len(stored(spark, lake)) == 3


@pytest.mark.full
def test_new_partitions_and_empty_topics_and_keys_that_are_null(
    spark: SparkSession, lake: Lake, broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    broker.produce(ORDERS, [(None, value) for _, value in orders(1)])
    assert run(spark, lake, broker)["rows"] == 1
    broker.grow(ORDERS, 3)
    broker.produce(ORDERS, orders(2, 3), partition=2)
    assert run(spark, lake, broker, max_offsets_per_trigger=1)["rows"] == 2
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("batch ")]
    assert [line.partition(" in ")[0] for line in told] == [f"batch {number}: 1 messages" for number in range(3)]
    assert [line.rpartition("; ")[2] for line in told] == ["0 behind", "1 behind", "0 behind"]

    assert stored(spark, lake) == [(ORDERS, 0, 0), (ORDERS, 2, 0), (ORDERS, 2, 1)]
    keys = lake.read(spark, ORDER_EVENTS).orderBy("partition", "offset").select("key", "order_id").collect()
    assert [tuple(row) for row in keys] == [(None, "O-1"), (b"O-2", "O-2"), (b"O-3", "O-3")]


@pytest.mark.full
def test_large_messages_are_read_whatever_is_in_them(spark: SparkSession, lake: Lake, broker: Broker) -> None:
    large = 12 * 2**20
    broker.create(ORDERS, **{"max.message.bytes": str(large)})
    nested = b"[" * (10 * 2**20)
    long = encode(order(order_id="O-2", note="x" * (10 * 2**20)))
    broker.produce(ORDERS, [(None, nested), (b"O-2", long)], **{"message.max.bytes": large})

    assert run(spark, lake, broker) | {"tables": ...} == {"rows": 1, "quarantined": 1, "tables": ...}
    (row,) = lake.read(spark, QUARANTINE).select("offset", "reason_code", "value").collect()
    assert (row.offset, row.reason_code, row.value) == (0, "not_json", nested)
    (audit,) = (
        lake.read(spark, INGEST_AUDIT).select("quarantined", "newest_at", "lag_seconds", "duration_seconds").collect()
    )
    assert audit.quarantined == {"not_json": 1}
    assert audit.newest_at is not None
    assert audit.lag_seconds >= 0 < audit.duration_seconds


@pytest.mark.full
@pytest.mark.parametrize("last", [ORDER_EVENTS, QUARANTINE, INGEST_AUDIT], ids=lambda table: table.name)
def test_a_checkpoint_that_was_deleted_is_made_up_for_by_the_tables(
    spark: SparkSession, lake: Lake, broker: Broker, monkeypatch: pytest.MonkeyPatch, last: Table
) -> None:
    """Deleted after a batch that died behind a write, which is the worst moment."""
    broker.produce(ORDERS, orders(1))
    run(spark, lake, broker)
    broker.produce(ORDERS, [*orders(2, 3), (b"O-4", b"?")])
    with dying_behind(monkeypatch, last), pytest.raises(StreamingQueryException, match="the power went out"):
        run(spark, lake, broker)
    shutil.rmtree(Path(lake.checkpoint(ingest_events.STEP).removeprefix("file:")))
    broker.grow(ORDERS, 2)
    broker.produce(ORDERS, orders(5), partition=1)
    broker.produce(ORDERS, orders(6))

    run(spark, lake, broker)
    run(spark, lake, broker)
    assert stored(spark, lake) == [*[(ORDERS, 0, offset) for offset in range(5)], (ORDERS, 1, 0)]
    audit = lake.read(spark, INGEST_AUDIT).collect()
    ranges = {
        (row.topic, row.partition, row.first_offset): range(row.first_offset, row.last_offset + 1) for row in audit
    }
    accounted = sorted((*place[:2], offset) for place, offsets in ranges.items() for offset in offsets)
    assert (accounted, sum(row.missing_offsets for row in audit)) == (stored(spark, lake), 0)


@pytest.mark.full
def test_compacted_messages_are_accounted_for_and_tombstones_are_read(
    spark: SparkSession, lake: Lake, broker: Broker
) -> None:
    eager = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}
    broker.create(CUSTOMERS, **eager)
    key = b'{"customer_id":1}'
    first = (key, encode(change("c", {"customer_id": 1})))

    def is_compacted() -> bool:
        broker.produce(CUSTOMERS, [(b'{"customer_id":2}', encode(change("c", {"customer_id": 2})))])
        return broker.first_offset(CUSTOMERS) > 0

    broker.produce(CUSTOMERS, [first, (key, None)])
    wait_until(is_compacted, "Kafka should compact the topic", 90)
    run(spark, lake, broker)

    offsets = [offset for _, _, offset in stored(spark, lake)]
    ((first_offset, last_offset, missing, reason),) = audited(spark, lake)
    assert (first_offset, len(offsets) + missing) == (0, last_offset + 1)
    assert missing > 0
    assert reason is not None
    tombstones = lake.read(spark, CUSTOMERS_CHANGES).where("value IS NULL").select("customer_id").collect()
    assert [row.customer_id for row in tombstones] == [1]


@pytest.mark.full
def test_bronze_that_nothing_reaches_any_more_fails_the_run(spark: SparkSession, lake: Lake, broker: Broker) -> None:
    assert run(spark, lake, broker, max_age_minutes=60)["rows"] == 0
    broker.produce(ORDERS, orders(1), timestamp_ms=1_700_000_000_000)
    assert run(spark, lake, broker, max_age_minutes=60)["rows"] == 1
    with pytest.raises(StaleBronzeError, match=r"a message is required every 60 minutes.*2023-11-14 22:13 UTC"):
        run(spark, lake, broker, max_age_minutes=60)


def test_real_time_takes_what_arrives_and_the_next_run_goes_on(
    spark: SparkSession, lake: Lake, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays until its time is over; here that is when a message that was sent while it ran is in bronze."""
    broker.produce(ORDERS, orders(1))
    told: list[int] = []

    def tell(progress: dict[str, Any]) -> None:
        told.append(progress["numInputRows"])
        if len(told) == 1:
            broker.produce(ORDERS, orders(2))

    monkeypatch.setattr(ingest_events, "tell", tell)
    monkeypatch.setattr(ingest_events, "time_is_over", lambda _: lambda: len(told) == 2)
    assert run(spark, lake, broker, realtime=True)["rows"] == 2
    assert told == [1, 1]
    assert spark.streams.active == []
    broker.produce(ORDERS, orders(3))
    assert run(spark, lake, broker)["rows"] == 1
    assert stored(spark, lake) == [(ORDERS, 0, offset) for offset in range(3)]
