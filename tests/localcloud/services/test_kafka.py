"""The broker, as Kafka's own client sees it; it was killed once before any of these tests looks."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from localcloud.home import Home
from localcloud.services import kafka
from localcloud.waiting import wait_until

_SECONDS = 30


@pytest.fixture(scope="module")
def servers(home: Home) -> Iterator[str]:
    servers = kafka.bootstrap_servers(home)
    with _running(home) as broker:
        kafka.service(home).initialise()
        _produce(servers, "bookstore.orders", b"sent before the crash")
        broker.kill()
    with _running(home):
        yield servers


@contextmanager
def _running(home: Home) -> Iterator["subprocess.Popen[bytes]"]:
    kafka.prepare(home)
    service = kafka.service(home)
    with Path(home.logs / "kafka.log").open("ab") as log:
        process = subprocess.Popen(service.command, stdout=log, stderr=log)
    try:
        wait_until(service.is_healthy, f"Kafka should answer at {service.address}", 240)
        yield process
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _produce(servers: str, topic: str, value: bytes) -> KafkaError | None:
    """Sends a message; returns what went wrong."""
    errors: list[KafkaError | None] = []
    # Without the second the client waits longer for a missing topic to appear than it keeps a message.
    limits = {"message.timeout.ms": 5000, "topic.metadata.propagation.max.ms": 1000}
    producer = Producer({"bootstrap.servers": servers, **limits})
    producer.produce(topic, value, partition=0, on_delivery=lambda error, _: errors.append(error))
    producer.flush(_SECONDS)
    return errors[0]


def test_the_bookstores_topics_are_there_with_their_partitions(servers: str, home: Home) -> None:
    kafka.service(home).initialise()  # once more
    topics = AdminClient({"bootstrap.servers": servers}).list_topics(timeout=_SECONDS).topics
    assert {name: len(topic.partitions) for name, topic in topics.items() if name in kafka.TOPICS} == {
        "bookstore.customers": 3,
        "bookstore.books": 3,
        "bookstore.orders": 3,
    }


def test_what_was_acknowledged_survives_a_kill(servers: str) -> None:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "test"})
    consumer.assign([TopicPartition("bookstore.orders", 0, 0)])
    message = consumer.poll(_SECONDS)
    consumer.close()
    assert message is not None
    assert message.value() == b"sent before the crash"


def test_nothing_is_ever_forgotten(servers: str) -> None:
    topic = ConfigResource(ResourceType.TOPIC, "bookstore.orders")
    admin = AdminClient({"bootstrap.servers": servers})  # what it promises ends with it
    (described,) = admin.describe_configs([topic]).values()
    settings = described.result(_SECONDS)
    assert {name: settings[name].value for name in ("retention.ms", "retention.bytes", "cleanup.policy")} == {
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "cleanup.policy": "delete",
    }


def test_a_topic_with_a_mistyped_name_is_an_error(servers: str) -> None:
    error = _produce(servers, "bookstore.costumers", b"lost")
    assert error is not None
    assert error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
