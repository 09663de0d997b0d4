"""Sending to a real broker."""

import datetime as dt
import os
from collections import defaultdict

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined] # there, and documented

from localcloud.bookstore.plan import Disorder, Plan
from localcloud.bookstore.production import produce_bookstore
from localcloud.bookstore.publisher import DeliveryError, Publisher
from localcloud.bookstore.stream import Message
from localcloud.ports import HOST
from localcloud.services.kafka import TOPICS

SMALL = Plan(customers=60, books=40, orders=400, start=dt.date(2025, 1, 1), end=dt.date(2025, 12, 31), seed=3)
MIXED = Disorder(late=0.05, duplicates=0.05, malformed=0.05)


def ends(broker: str) -> dict[TopicPartition, int]:
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "unused"})
    places = [TopicPartition(topic, number) for topic in TOPICS for number in range(3)]
    found = {place: consumer.get_watermark_offsets(place, timeout=10)[1] for place in places}
    consumer.close()
    return found


def received(broker: str, starts: dict[TopicPartition, int]) -> dict[tuple[str, int], list[Message]]:
    """What each partition got since `starts`, in order."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "unused", "enable.auto.commit": False})
    consumer.assign([TopicPartition(place.topic, place.partition, offset) for place, offset in starts.items()])
    left = sum(ends(broker).values()) - sum(starts.values())
    messages: dict[tuple[str, int], list[Message]] = defaultdict(list)
    while left:
        batch = consumer.consume(left, timeout=10)
        assert batch, f"{left} messages did not come within 10 s"
        left -= len(batch)
        for message in batch:
            place = str(message.topic()), int(message.partition() or 0)
            messages[place].append((message.key(), message.value()))
    consumer.close()
    return messages


def quiet(_topic: str, _sent: int, _total: int) -> None:
    """No progress is shown."""


@pytest.fixture(scope="module")
def twice(broker: str) -> list[dict[tuple[str, int], list[Message]]]:
    """What the same plan, produced twice, brought into each partition."""
    runs = []
    for _ in range(2):
        starts = ends(broker)
        produce_bookstore(broker, SMALL, MIXED, quiet)
        runs.append(received(broker, starts))
    return runs


def test_two_runs_are_the_same_in_every_partition(twice: list[dict[tuple[str, int], list[Message]]]) -> None:
    assert twice[0] == twice[1]
    assert len(twice[0]) == 9


def test_a_key_stays_in_its_partition(twice: list[dict[tuple[str, int], list[Message]]]) -> None:
    places = defaultdict(set)
    for (topic, partition), messages in twice[0].items():
        for key, _ in messages:
            places[topic, key].add(partition)
    assert {len(partitions) for partitions in places.values()} == {1}


def test_what_was_sent_is_told(broker: str) -> None:
    steps: list[tuple[str, int, int]] = []
    before = sum(ends(broker).values())
    production = produce_bookstore(broker, SMALL, MIXED, lambda *step: steps.append(step))
    assert [sent.topic for sent in production.topics] == list(TOPICS)
    assert production.messages == sum(ends(broker).values()) - before
    assert [(topic, sent == total) for topic, sent, total in steps] == [(topic, True) for topic in TOPICS]


def test_a_message_that_kafka_does_not_take_is_an_error(broker: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker})
    narrow = NewTopic("narrow", 1, 1, config={"max.message.bytes": "200"})
    admin.create_topics([narrow])["narrow"].result(10)
    with Publisher(broker) as publisher:
        publisher.send("narrow", [(b"small", b"x")])
    incompressible = os.urandom(1_000)
    error = r"did not take 1 messages, first because: .*Message size too large"
    with pytest.raises(DeliveryError, match=error), Publisher(broker) as publisher:
        publisher.send("narrow", [(b"large", incompressible)])


def test_a_missing_topic_is_named(broker: str) -> None:
    with pytest.raises(DeliveryError, match="has no topic nowhere: create it"), Publisher(broker) as publisher:
        publisher.require([*TOPICS, "nowhere"])


def test_a_missing_broker_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localcloud.bookstore.publisher.ANSWER_SECONDS", 1)
    with pytest.raises(DeliveryError, match=f"a Kafka broker is required at {HOST}:1, and none answered in 1 s"):
        produce_bookstore(f"{HOST}:1", SMALL, MIXED, quiet)


def test_more_than_fits_into_the_queue_waits_for_room(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localcloud.bookstore.publisher.SETTINGS", {"queue.buffering.max.messages": 10, "acks": "all"})
    starts = ends(broker)
    with Publisher(broker) as publisher:
        publisher.send(TOPICS[0], [(b"key", b"%d" % number) for number in range(100)])
    ((_, messages),) = received(broker, starts).items()
    assert messages == [(b"key", b"%d" % number) for number in range(100)]
