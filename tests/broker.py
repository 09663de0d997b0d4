"""A Kafka broker for tests."""

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from localcloud.home import Home
from localcloud.services import kafka
from localcloud.waiting import wait_until

Message = tuple[bytes | None, bytes | None]
_SECONDS = 30


@dataclass(frozen=True)
class Broker:
    """A running broker."""

    bootstrap_servers: str

    def produce(self, topic: str, messages: Iterable[Message], partition: int = 0) -> None:
        """Sends keys and values in order, and returns when the broker has all of them."""
        producer = Producer({"bootstrap.servers": self.bootstrap_servers, "queue.buffering.max.messages": 1_000_000})
        for key, value in messages:
            producer.produce(topic, value, key, partition)
        assert producer.flush(_SECONDS) == 0

    def empty(self) -> None:
        """Makes the bookstore's topics anew, with one partition each."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers})
        present = [topic for topic in kafka.TOPICS if topic in admin.list_topics(timeout=_SECONDS).topics]
        for deleted in admin.delete_topics(present).values() if present else ():
            deleted.result(_SECONDS)
        for created in admin.create_topics([NewTopic(topic, 1, 1) for topic in kafka.TOPICS]).values():
            created.result(_SECONDS)


@contextmanager
def running_broker(root: Path) -> Iterator[Broker]:
    """Runs a broker with its data under `root`."""
    home = Home(root)
    home.create()
    kafka.prepare(home)
    service = kafka.service(home)
    with (root / "kafka.log").open("wb") as log:
        process = subprocess.Popen(service.command, stdout=log, stderr=log)
    try:
        wait_until(service.is_healthy, f"Kafka must answer at {service.address}", _SECONDS)
        yield Broker(kafka.bootstrap_servers(home))
    finally:
        process.terminate()
        process.wait(_SECONDS)
