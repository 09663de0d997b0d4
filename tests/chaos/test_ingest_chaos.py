"""Ingest through every fault: each event is stored exactly once, where it belongs, and under the right reason."""

import datetime as dt
import logging
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from localcloud.bookstore.defects import DEFECTS
from localcloud.bookstore.delivery import INTACT, Delivery, deliver
from localcloud.bookstore.plan import Disorder, Plan
from localcloud.bookstore.publisher import Publisher
from localcloud.bookstore.shop import shop_of
from localcloud.databricks.sql import query
from localcloud.services.kafka import PARTITIONS, TOPICS, bootstrap_servers
from tests.chaos.chaos import ALL, Chaos
from tests.chaos.ingest_cloud import IngestCloud, running
from tests.cloud import Cloud
from tests.spark_jobs.transforms import plain_topics

log = logging.getLogger(__name__)

DISORDER = Disorder(late=0.02, duplicates=0.02, malformed=0.05)
ANSWER_SECONDS = 60
MOST_RUNS = 100
RETRIES = 2
Place = tuple[str, int, int]
Kept = tuple[str | None, int]
"""Under which reason, if any, and a checksum of the value."""


@dataclass(frozen=True)
class Trial:
    """How much of everything.

    Attributes:
        orders: Each is three or four events.
        portions: In how many parts the events are sent, one during each run.
        batch: Messages that the job takes at once.
        faults: What happens, in this order.
        gap: Requests of the storage between two faults, at most.
        spell: Requests in a row that the storage refuses, holds up or doesn't answer, at most.
    """

    orders: int
    portions: int
    batch: int
    faults: Sequence[str]
    gap: int
    spell: int

    def deliveries(self) -> list[Delivery]:
        start = dt.date(2026, 1, 1)
        plan = Plan(self.orders // 5, 300, self.orders, start, start + dt.timedelta(days=89), seed=5)
        return [deliver(stream, DISORDER) for stream in shop_of(plan).streams]


def test_some_events_through_a_few_faults(tmp_path: Path) -> None:
    # None that ends the cluster: its successor is cold for a minute.
    faults = ("kill the job", "storage refuses")
    trial = Trial(orders=500, portions=2, batch=5_000, faults=faults, gap=60, spell=1)
    survive(tmp_path, trial, seeded(1))


@pytest.mark.full
@pytest.mark.timeout(5_400)
def test_a_million_events_through_every_fault_twice(tmp_path: Path) -> None:
    random = seeded(int.from_bytes(os.urandom(2)))
    faults = random.sample(ALL * 2, 2 * len(ALL))
    trial = Trial(orders=250_000, portions=20, batch=40_000, faults=faults, gap=120, spell=30)
    survive(tmp_path, trial, random)


def seeded(usual: int) -> Random:
    seed = int(os.environ.get("CHAOS_SEED", usual))
    log.warning("CHAOS_SEED=%d repeats the faults", seed)
    return Random(seed)  # noqa: S311 - faults, no secrets


def survive(folder: Path, trial: Trial, random: Random) -> None:
    deliveries = trial.deliveries()
    with running(folder / "home") as cloud:
        chaos = Chaos(cloud.home, trial.faults, random, gap=trial.gap, spell=trial.spell)
        ride_out(cloud, trial, deliveries, chaos)
        expected = verdicts(cloud)
        assert Counter(reason for reason, _ in expected.values()) == planned_reasons(deliveries)
        assert differences(expected, stored(cloud)) == []
        Cloud(cloud.home).localcloud("audit")


def ride_out(cloud: IngestCloud, trial: Trial, deliveries: Sequence[Delivery], chaos: Chaos) -> None:
    """Sends everything while faults happen and failed runs are repeated; then lets ingest finish in peace."""
    portions = list(range(trial.portions))
    with (
        cloud.proxy.planned(chaos),
        Publisher(bootstrap_servers(cloud.home)) as publisher,
        ThreadPoolExecutor(1) as pool,
    ):
        for _ in range(MOST_RUNS):
            sending = pool.submit(send, publisher, deliveries, trial.portions, portions[:1])
            log.warning("the run ended: %s", cloud.run(max_offsets_per_trigger=trial.batch))
            sending.result()
            portions = portions[1:]
            if chaos.is_over and not portions:
                break
    assert chaos.is_over
    outcomes = repeated_run(cloud, trial)
    assert outcomes[-1] == "SUCCESS", outcomes


def repeated_run(cloud: IngestCloud, trial: Trial) -> list[str]:
    """How a run and its retries ended."""
    outcomes: list[str] = []
    while len(outcomes) <= RETRIES and "SUCCESS" not in outcomes:
        outcomes.append(cloud.run(max_offsets_per_trigger=trial.batch))
    return outcomes


def send(publisher: Publisher, deliveries: Sequence[Delivery], parts: int, numbers: Sequence[int]) -> None:
    """Sends these of so many parts of each topic's events."""
    for delivery in deliveries:
        places = np.array_split(np.arange(len(delivery)), parts)
        for number in numbers:
            publisher.send(delivery.stream.topic, delivery.messages(places[number]))
    publisher.flush()


def planned_reasons(deliveries: Sequence[Delivery]) -> Counter[str | None]:
    """How many events were broken in which way when they were made up."""
    reasons: Counter[str | None] = Counter()
    for delivery in deliveries:
        for defect, events in Counter(delivery.defect.tolist()).items():
            reason = None if defect == INTACT else DEFECTS[delivery.stream.topic][defect].reason
            reasons[reason] += events
    return reasons


def verdicts(cloud: IngestCloud) -> dict[Place, Kept]:
    """What a plain reading of the contract says of every message that Kafka has."""
    expected: dict[Place, Kept] = {}
    for topic in TOPICS:
        for partition in range(PARTITIONS):
            for offset, (key, value) in enumerate(messages(cloud, topic, partition)):
                reason = plain_topics.read(topic, key, value).reason_code
                expected[topic, partition, offset] = (reason, zlib.crc32(value or b""))
    return expected


def messages(cloud: IngestCloud, topic: str, partition: int) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Those of a partition, in order; its offsets are without gaps."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers(cloud.home), "group.id": "truth"})
    place = TopicPartition(topic, partition, OFFSET_BEGINNING)
    _, end = consumer.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
    consumer.assign([place])
    for expected in range(end):
        message = consumer.poll(ANSWER_SECONDS)
        assert message is not None
        assert message.offset() == expected
        yield message.key(), message.value()
    consumer.close()


def stored(cloud: IngestCloud) -> Counter[tuple[Place, Kept]]:
    """Every row of bronze and quarantine: one that stands twice counts twice."""
    tables = {"customers_changes": "NULL", "books_changes": "NULL", "order_events": "NULL", "quarantine": "reason_code"}
    rows = " UNION ALL ".join(
        f"SELECT topic, partition, offset, {reason} AS reason, crc32(coalesce(value, X'')) AS crc FROM bronze.{table}"
        for table, reason in tables.items()
    )
    columns = query(cloud.home, rows).to_pydict().values()
    return Counter(
        ((topic, part, offset), (reason, crc)) for topic, part, offset, reason, crc in zip(*columns, strict=True)
    )


def differences(expected: Mapping[Place, Kept], found: Counter[tuple[Place, Kept]]) -> list[str]:
    """The first few events that are not stored exactly once as expected."""
    wanted = Counter(expected.items())
    wrong = sorted([*(wanted - found), *(found - wanted)], key=repr)
    return [f"{each}: expected {wanted[each]} times, found {found[each]} times" for each in wrong[:20]]
