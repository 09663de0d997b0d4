"""From the moment an event is produced to the one at which bronze can be read with it, in real time."""

import json
import tempfile
import threading
import time
from itertools import chain, islice
from pathlib import Path

from confluent_kafka import Producer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from benchmarks.harness import Figures, percentiles
from benchmarks.orders_topic import TOPIC, order_events
from spark_jobs.jobs import ingest_events
from spark_jobs.lake import Lake
from spark_jobs.tables import ORDER_EVENTS
from tests.broker import Broker, running_broker

PER_SECOND = 1_000
WARM_UP_SECONDS = 60
SECONDS = 120
_RUN_MINUTES = 3
_TICKS_PER_SECOND = 20


def latency(spark: SparkSession) -> Figures:
    """Seconds from produced to readable, of the events behind the first minute's, in which code is compiled.

    Runs `ingest_events` in real time while so many events arrive each second.
    """
    with tempfile.TemporaryDirectory() as folder, running_broker(Path(folder) / "kafka") as broker:
        broker.empty()
        lake = Lake((Path(folder) / "lake").as_uri())
        producing = threading.Thread(target=_produce, args=(broker,))
        producing.start()
        config = ingest_events.Config(lake.root, broker.bootstrap_servers, realtime=True, realtime_minutes=_RUN_MINUTES)
        ingest_events.run(spark, config)
        producing.join()
        return _measured(spark, lake)


def _produce(broker: Broker) -> None:
    """Sends at an even pace: what the events wait for is the pipeline, not their sender."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "linger.ms": 5})
    events = chain.from_iterable(order_events(PER_SECOND * SECONDS))
    began = time.monotonic()
    for tick in range(SECONDS * _TICKS_PER_SECOND):
        for key, value in islice(events, PER_SECOND // _TICKS_PER_SECOND):
            producer.produce(TOPIC, value, key)
        producer.poll(0)
        time.sleep(max(0.0, began + (tick + 1) / _TICKS_PER_SECOND - time.monotonic()))
    producer.flush()


def _measured(spark: SparkSession, lake: Lake) -> Figures:
    readable_at = _commit_times(lake)
    sent_at = F.unix_millis("kafka_timestamp").alias("sent_at")
    rows = lake.read(spark, ORDER_EVENTS).select("_metadata.file_name", sent_at).collect()
    began = min(row.sent_at for row in rows) + 1_000 * WARM_UP_SECONDS
    seconds = [readable_at[row.file_name] - row.sent_at / 1_000 for row in rows if row.sent_at >= began]
    return percentiles(seconds, 50, 95, 99)


def _commit_times(lake: Lake) -> dict[str, float]:
    """When each data file could be read: a commit's file is renamed into the log as soon as it is written."""
    log = Path(lake.path(ORDER_EVENTS).removeprefix("file://")) / "_delta_log"
    times: dict[str, float] = {}
    for commit in log.glob("*.json"):
        actions = [json.loads(line) for line in commit.read_text().splitlines()]
        added = [Path(action["add"]["path"]).name for action in actions if "add" in action]
        times |= dict.fromkeys(added, commit.stat().st_mtime)
    return times
