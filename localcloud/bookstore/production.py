"""Makes a bookstore up and sends its events."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from localcloud.bookstore.delivery import Delivery, deliver
from localcloud.bookstore.plan import Disorder, Plan
from localcloud.bookstore.publisher import Publisher
from localcloud.bookstore.shop import shop_of
from localcloud.bookstore.stream import chunks
from localcloud.bookstore.truth import write_truth

Progress = Callable[[str, int, int], None]
"""Is told a topic, how many of its messages have been sent, and how many there are."""


@dataclass(frozen=True)
class Sent:
    """What was sent to one topic, and how long that took, every message confirmed."""

    delivery: Delivery
    seconds: float

    @property
    def topic(self) -> str:
        return self.delivery.stream.topic

    @property
    def messages(self) -> int:
        return len(self.delivery)

    @property
    def per_second(self) -> float:
        return self.messages / self.seconds


@dataclass(frozen=True)
class Production:
    """What was sent, and how long it took to make it up and send it."""

    topics: Sequence[Sent]
    seconds: float

    @property
    def messages(self) -> int:
        return sum(sent.messages for sent in self.topics)

    @property
    def per_second(self) -> float:
        return self.messages / self.seconds


def produce_bookstore(
    bootstrap_servers: str, plan: Plan, disorder: Disorder, on_progress: Progress, truth: Path | None = None
) -> Production:
    """Sends the plan's events, topic by topic, and writes what is true about them into the folder `truth`.

    Raises:
        DeliveryError: Kafka is out of reach, lacks a topic, or did not take a message.
    """
    began = time.monotonic()
    with Publisher(bootstrap_servers) as publisher:
        shop = shop_of(plan)
        publisher.require(stream.topic for stream in shop.streams)
        deliveries = [deliver(stream, disorder) for stream in shop.streams]
        sent = [_send(publisher, delivery, on_progress) for delivery in deliveries]
    production = Production(sent, time.monotonic() - began)
    if truth is not None:
        write_truth(truth, shop, deliveries)
    return production


def _send(publisher: Publisher, delivery: Delivery, on_progress: Progress) -> Sent:
    topic, total = delivery.stream.topic, len(delivery)
    began = time.monotonic()
    for places in chunks(np.arange(total)):
        publisher.send(topic, delivery.messages(places))
        on_progress(topic, int(places[-1]) + 1, total)
    publisher.flush()
    return Sent(delivery, time.monotonic() - began)
