"""How events are mixed up on their way, and that nothing gets lost by it."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from localcloud.bookstore.defects import DEFECTS
from localcloud.bookstore.delivery import INTACT, Delivery, deliver
from localcloud.bookstore.plan import Disorder
from localcloud.bookstore.shop import Shop
from localcloud.bookstore.stream import Message, Stream
from tests.localcloud.bookstore.contract import sequences, verdict

TOPICS = (0, 1, 2)
MIXED = Disorder(late=0.05, duplicates=0.1, malformed=0.2)


def arrivals(delivery: Delivery) -> list[Message]:
    return delivery.messages(np.arange(len(delivery)))


def in_order(stream: Stream) -> list[Message]:
    return stream.messages(stream.in_true_order())


def overtaken(messages: list[Message]) -> int:
    """How many events arrive, for the first time, after one of the same key with a greater sequence."""
    newest: dict[bytes | None, tuple[int, ...]] = {}
    seen = set()
    late = 0
    for key, sequence in sequences(messages):
        late += (key, sequence) not in seen and sequence < newest.get(key, (-1,))
        newest[key] = max(sequence, newest.get(key, (-1,)))
        seen.add((key, sequence))
    return late


@pytest.mark.parametrize("topic", TOPICS)
def test_without_disorder_everything_arrives_once_and_in_order(shop: Shop, topic: int) -> None:
    stream = shop.streams[topic]
    assert arrivals(deliver(stream, Disorder())) == in_order(stream)
    assert overtaken(in_order(stream)) == 0


@pytest.mark.parametrize("topic", TOPICS)
def test_late_events_arrive_behind_their_successors(shop: Shop, topic: int) -> None:
    stream = shop.streams[topic]
    delivery = deliver(stream, Disorder(late=0.05))
    assert delivery.late == round(0.05 * len(stream))
    assert overtaken(arrivals(delivery)) == delivery.late
    assert Counter(arrivals(delivery)) == Counter(in_order(stream))


@pytest.mark.parametrize("topic", TOPICS)
def test_at_most_every_event_that_has_a_successor_is_late(shop: Shop, topic: int) -> None:
    stream = shop.streams[topic]
    delivery = deliver(stream, Disorder(late=1))
    sequenced = [key for key, _ in sequences(in_order(stream))]
    assert overtaken(arrivals(delivery)) == len(sequenced) - len(set(sequenced))


@pytest.mark.parametrize("topic", TOPICS)
def test_duplicates_arrive_twice(shop: Shop, topic: int) -> None:
    stream = shop.streams[topic]
    delivery = deliver(stream, Disorder(duplicates=0.1))
    times = Counter(delivery.events.tolist())
    assert Counter(times.values()) == {1: len(stream) - delivery.duplicates, 2: delivery.duplicates}
    assert delivery.duplicates == round(0.1 * len(stream))
    assert set(arrivals(delivery)) == set(in_order(stream))


@pytest.mark.parametrize("topic", TOPICS)
def test_malformed_messages_come_on_top(shop: Shop, topic: int) -> None:
    stream = shop.streams[topic]
    delivery = deliver(stream, Disorder(malformed=0.2))
    verdicts = [verdict(stream.topic, *message) for message in arrivals(delivery)]
    assert len(delivery) == len(stream) + round(0.2 * len(stream))
    assert verdicts.count(None) == len(stream)
    assert delivery.malformed == round(0.2 * len(stream))


@pytest.mark.parametrize("topic", TOPICS)
def test_every_defect_is_told_under_its_reason(shop: Shop, topic: int) -> None:
    stream = shop.streams[topic]
    delivery = deliver(stream, Disorder(malformed=0.5))
    broken = delivery.broken(np.flatnonzero(delivery.defect != INTACT))
    assert [verdict(stream.topic, *message) for message, _ in broken] == [reason for _, reason in broken]
    assert set(delivery.defect.tolist()) == {INTACT, *range(len(DEFECTS[stream.topic]))}


@pytest.mark.parametrize("topic", TOPICS)
def test_there_are_many_ways_to_be_broken(shop: Shop, topic: int) -> None:
    defects = DEFECTS[shop.streams[topic].topic]
    assert len(defects) >= 16
    assert len({defect.reason for defect in defects}) >= 9


@pytest.mark.parametrize("topic", TOPICS)
def test_everything_at_once_loses_nothing(shop: Shop, topic: int) -> None:
    stream = shop.streams[topic]
    valid = [message for message in arrivals(deliver(stream, MIXED)) if verdict(stream.topic, *message) is None]
    assert set(valid) == set(in_order(stream))
    assert len(valid) == len(stream) + round(0.1 * len(stream))


@pytest.mark.parametrize("topic", TOPICS)
def test_the_same_disorder_is_the_same_every_time(shop: Shop, topic: int) -> None:
    stream = shop.streams[topic]
    assert arrivals(deliver(stream, MIXED)) == arrivals(deliver(stream, replace(MIXED)))
