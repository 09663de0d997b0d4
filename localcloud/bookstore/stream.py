"""One topic's events: planned as columns, written out as JSON only when they are sent."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from localcloud.bookstore.plan import Flags, Ints, Plan

CHUNK = 4_000
"""Events that are written out at once: enough to spread the fixed costs, few enough to hold."""


Message = tuple[bytes | None, bytes | None]
"""A key and a value, as Kafka carries them; a null value is a tombstone."""


@dataclass(frozen=True)
class Stream(ABC):
    """The events of one topic, sorted by the entity they are about and then by their sequence.

    Attributes:
        entity: What each event is about: the index of a customer, a book or an order.
        at: When each event happened, in seconds since the epoch.
    """

    topic: str
    plan: Plan
    entity: Ints
    at: Ints

    @property
    def name(self) -> str:
        """The topic's last word, e.g. `orders`."""
        return self.topic.rpartition(".")[2]

    @property
    @abstractmethod
    def has_value(self) -> Flags:
        """Whether an event is more than a null value."""

    @property
    @abstractmethod
    def is_sequenced(self) -> Flags:
        """Whether an event has its place among those of its entity wherever it arrives."""

    @abstractmethod
    def documents(self, events: Ints) -> list[Message]:
        """One message for each event, in its plain form."""

    def messages(self, events: Ints) -> list[Message]:
        """The same in the form that is sent."""
        return self.documents(events)

    def __len__(self) -> int:
        return len(self.entity)

    def in_true_order(self) -> Ints:
        """Every event, in the order in which they happened."""
        return np.argsort(self.at, kind="stable")


def chunks(events: Ints) -> Iterator[Ints]:
    for first in range(0, len(events), CHUNK):
        yield events[first : first + CHUNK]


def utc_text(seconds: Ints) -> list[str]:
    """ISO-8601 in UTC, e.g. `2026-01-31T10:15:00Z`."""
    texts: list[str] = np.char.add(np.datetime_as_string(seconds.astype("datetime64[s]")), "Z").tolist()
    return texts


def money_text(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
