"""A Kafka broker for tests."""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic  # type: ignore[attr-defined]

from localcloud import certificates
from localcloud.home import Home, write_private
from localcloud.ports import HOST, find_free
from localcloud.services import kafka
from localcloud.waiting import wait_until

Message = tuple[bytes | None, bytes | None]
_SECONDS = 30

# A second listener, as Event Hubs has one: TLS, and a name and a password.
_SIGN_IN = """
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port},SASL_SSL://{host}:{secured_port}
advertised.listeners=PLAINTEXT://{host}:{port},SASL_SSL://{host}:{secured_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
    user_{username}="{password}";
"""


@dataclass(frozen=True)
class Broker:
    """A running broker."""

    bootstrap_servers: str

    def produce(
        self, topic: str, messages: Iterable[Message], partition: int = 0, timestamp_ms: int = 0, **options: Any
    ) -> None:
        """Sends keys and values in order, and returns when the broker has all of them.

        A timestamp of 0 is now; `options` are the producer's own.
        """
        usual = {"bootstrap.servers": self.bootstrap_servers, "queue.buffering.max.messages": 1_000_000}
        producer = Producer(usual | options)
        for key, value in messages:
            producer.produce(topic, value, key, partition, timestamp=timestamp_ms)
        assert producer.flush(_SECONDS) == 0

    def first_offset(self, topic: str) -> int:
        """Of the first message that partition 0 still has."""
        settings = {"bootstrap.servers": self.bootstrap_servers, "group.id": "first", "auto.offset.reset": "earliest"}
        consumer = Consumer(settings)
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        message = consumer.poll(_SECONDS)
        consumer.close()
        assert message is not None
        offset: int = message.offset()  # type: ignore[assignment] # of a message that arrived it is known
        return offset

    @property
    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap_servers})

    def empty(self) -> None:
        """Makes the bookstore's topics anew, with one partition each."""
        self.create(*kafka.TOPICS)

    def create(self, *topics: str, **settings: str) -> None:
        """Makes topics anew, with one partition each."""
        admin = self.admin
        present = [topic for topic in topics if topic in admin.list_topics(timeout=_SECONDS).topics]
        if present:
            wait(admin.delete_topics(present))
        wait(admin.create_topics([NewTopic(topic, 1, 1, config=settings) for topic in topics]))

    def grow(self, topic: str, partitions: int) -> None:
        """Gives the topic so many partitions in all."""
        admin = self.admin  # what it promises ends with it
        wait(admin.create_partitions([NewPartitions(topic, partitions)]))

    def delete_before(self, topic: str, offset: int) -> None:
        """Deletes what partition 0 has before that offset, as retention does."""
        admin = self.admin
        wait(admin.delete_records([TopicPartition(topic, 0, offset)]))


def wait(promised: Mapping[Any, Future[Any]]) -> None:
    """Returns when the broker has done what it promised."""
    for future in promised.values():
        future.result(_SECONDS)


@dataclass(frozen=True)
class SecuredBroker:
    """A running broker that also listens where one has to sign in.

    Attributes:
        open: The broker, for those on the inside.
        bootstrap_servers: Where one has to sign in.
        ca_file: The authority that vouches for it.
    """

    open: Broker
    bootstrap_servers: str
    ca_file: Path


@contextmanager
def running_secured_broker(root: Path, username: str, password: str) -> Iterator[SecuredBroker]:
    """Runs a broker that lets this user in over TLS."""
    home = _prepared(root)
    certificates.create(home)
    keystore = home.tls / "keystore.pem"
    write_private(keystore, (home.tls / "server.key").read_bytes() + (home.tls / "server.pem").read_bytes())
    port = find_free(home.ports().values())
    ports = {"port": home.port("kafka"), "controller_port": home.port("kafka-controller"), "secured_port": port}
    settings = home.data("kafka") / "server.properties"
    with settings.open("a") as file:
        file.write(_SIGN_IN.format(host=HOST, keystore=keystore, username=username, password=password, **ports))
    with _running(home) as broker:
        yield SecuredBroker(broker, f"{HOST}:{port}", home.tls / "ca.pem")


@contextmanager
def running_broker(root: Path) -> Iterator[Broker]:
    """Runs a broker with its data under `root`."""
    with _running(_prepared(root)) as broker:
        yield broker


def _prepared(root: Path) -> Home:
    home = Home(root)
    home.create()
    kafka.prepare(home)
    return home


@contextmanager
def _running(home: Home) -> Iterator[Broker]:
    service = kafka.service(home)
    with (home.root / "kafka.log").open("wb") as log:
        process = subprocess.Popen(service.command, stdout=log, stderr=log)
    try:
        wait_until(service.is_healthy, f"Kafka must answer at {service.address}", _SECONDS)
        yield Broker(kafka.bootstrap_servers(home))
    finally:
        process.terminate()
        process.wait(_SECONDS)
