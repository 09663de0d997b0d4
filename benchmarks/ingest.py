"""Kafka to a Delta table: the whole job, a stream that only parses and appends, and Python without Spark."""

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from deltalake import write_deltalake
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from benchmarks.harness import Benchmark
from benchmarks.orders_topic import TOPIC, broker_with_orders
from localcloud.services.kafka import PARTITIONS
from spark_jobs.jobs import ingest_events
from spark_jobs.tables import ORDER_ROW
from tests.broker import Broker

_WARM_UP_EVENTS = 20_000
_BATCH_OF_SPARK = 250_000
_BATCH_OF_PYTHON = 100_000
_ANSWER_SECONDS = 30

_LINE = pa.struct(
    [
        ("line_no", pa.int32()),
        ("book_id", pa.int64()),
        ("quantity", pa.int32()),
        ("unit_price", pa.decimal128(10, 2)),
        ("returned_quantity", pa.int32()),
    ]
)
_ARRIVAL = pa.schema(
    [
        *[("topic", pa.string()), ("partition", pa.int32()), ("offset", pa.int64())],
        *[("kafka_timestamp", pa.timestamp("us", "UTC")), ("key", pa.binary()), ("value", pa.binary())],
    ]
)
_ROW = pa.schema(
    [
        *[("order_id", pa.string()), ("customer_id", pa.int64()), ("status", pa.string()), ("version", pa.int64())],
        *[("ordered_at", pa.timestamp("us", "UTC")), ("updated_at", pa.timestamp("us", "UTC"))],
        *[("currency", pa.string()), ("lines", pa.list_(_LINE))],
    ]
)


def ingest(spark: SparkSession, events: int) -> Benchmark:
    """Each round reads the topic from its beginning into a table of its own."""
    stack = ExitStack()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    warm = stack.enter_context(broker_with_orders(folder / "warm", min(events, _WARM_UP_EVENTS)))
    full = stack.enter_context(broker_with_orders(folder / "full", events))

    def contender(read: Callable[[Broker, Path], None]) -> Callable[[int], None]:
        def act(number: int) -> None:
            lake = folder / "lake"
            read(full if number else warm, lake)
            shutil.rmtree(lake)

        return act

    return Benchmark(
        f"ingest: {events:,} order events from Kafka to Delta",
        {
            "ingest_events": contender(lambda broker, lake: _job(spark, broker, lake)),
            "a bare stream: from_json, append": contender(lambda broker, lake: _bare(spark, broker, lake)),
            "confluent-kafka and deltalake": contender(_python),
        },
        rounds=1,
        close=stack.close,
    )


def _job(spark: SparkSession, broker: Broker, lake: Path) -> None:
    config = ingest_events.Config(lake.as_uri(), broker.bootstrap_servers, max_offsets_per_trigger=_BATCH_OF_SPARK)
    ingest_events.run(spark, config)
    for layer in ("bronze", "ops"):
        spark.sql(f"DROP SCHEMA {layer} CASCADE")


def _bare(spark: SparkSession, broker: Broker, lake: Path) -> None:
    """What one writes first: no quarantine, no account, no check, and what can't be read becomes null."""
    options = {
        "kafka.bootstrap.servers": broker.bootstrap_servers,
        "subscribe": TOPIC,
        "startingOffsets": "earliest",
        "maxOffsetsPerTrigger": str(_BATCH_OF_SPARK),
    }
    messages = spark.readStream.format("kafka").options(**options).load()
    row = F.from_json(F.col("value").cast("string"), ORDER_ROW).alias("row")
    rows = messages.select("topic", "partition", "offset", "timestamp", "key", "value", row)
    flat = rows.select("topic", "partition", "offset", "timestamp", "key", "value", "row.*")
    writer = flat.writeStream.format("delta").option("checkpointLocation", str(lake / "checkpoint"))
    writer.trigger(availableNow=True).start(str(lake / "orders")).awaitTermination()


def _python(broker: Broker, lake: Path) -> None:
    """A consumer that parses with orjson and appends with `deltalake`."""
    for messages in _batches(broker):
        arrival = [
            (m.topic(), m.partition(), m.offset(), m.timestamp()[1] * 1_000, m.key(), m.value()) for m in messages
        ]
        rows = [_parsed(value) for *_, value in arrival]
        columns = [
            *[pa.array(column, field.type) for column, field in zip(zip(*arrival, strict=True), _ARRIVAL, strict=True)],
            *[pa.array([row[field.name] for row in rows], field.type) for field in _ROW],
        ]
        table = pa.table(columns, pa.schema([*_ARRIVAL, *_ROW]))
        write_deltalake(str(lake / "orders"), table, mode="append")


def _parsed(value: bytes | None) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(_ROW.names) if value is None else orjson.loads(value)
    for name in ("ordered_at", "updated_at"):
        row[name] = row[name] and dt.datetime.fromisoformat(row[name])
    for line in row["lines"] or ():
        line["unit_price"] = Decimal(str(line["unit_price"])).quantize(Decimal("0.01"))
    return row


def _batches(broker: Broker) -> Iterator[list[Any]]:
    consumer = Consumer(
        {"bootstrap.servers": broker.bootstrap_servers, "group.id": "bench", "enable.auto.commit": False}
    )
    places = [TopicPartition(TOPIC, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)]
    left = sum(consumer.get_watermark_offsets(place, timeout=_ANSWER_SECONDS)[1] for place in places)
    consumer.assign(places)
    while left:
        messages: list[Any] = []
        while len(messages) < min(_BATCH_OF_PYTHON, left):
            messages += consumer.consume(min(_BATCH_OF_PYTHON, left) - len(messages), timeout=1)
        left -= len(messages)
        yield messages
    consumer.close()
