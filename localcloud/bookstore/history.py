"""What happened to rows of a database table: each appears, changes now and then, and may go."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from localcloud.bookstore.plan import Flags, Ints


@dataclass(frozen=True)
class History:
    """Events sorted by entity, then by time; every entity has at least one, its appearance.

    Attributes:
        entity: The index of the row that each event is about.
        at: When it happened, in seconds since the epoch; within an entity always later than the event before.
        nth: How many events of the same entity came before it.
        left: How many come after it.
    """

    entity: Ints
    at: Ints
    nth: Ints
    left: Ints

    def __len__(self) -> int:
        return len(self.entity)

    @cached_property
    def first(self) -> Ints:
        """Each entity's first event."""
        return np.flatnonzero(self.nth == 0)

    def carried(self, drawn: Ints, changes: Flags) -> Ints:
        """A column's value after each event: what was drawn at the entity's latest event that changes it."""
        source = np.where(changes | (self.nth == 0), np.arange(len(self)), 0)
        latest: Ints = drawn[np.maximum.accumulate(source)]
        return latest

    def in_force(self, entity: Ints, seconds: Ints) -> Ints:
        """Each entity's latest event at a time; its first one where the time is before it."""
        base = self.at.min()
        span = self.at.max() - base + 2
        timeline = self.entity * span + (self.at - base)
        wanted = entity * span + np.clip(seconds - base, 0, span - 1)
        event: Ints = np.maximum(np.searchsorted(timeline, wanted, side="right") - 1, self.first[entity])
        return event


def history_of(appears_at: Ints, until: Ints, changes: Ints, draw: np.random.Generator) -> History:
    """Each entity's appearance, and its changes in equal stretches of the time from then `until`.

    There must be a few seconds for each change.
    """
    count = changes + 1
    entity = np.repeat(np.arange(len(changes)), count)
    nth = np.arange(len(entity)) - np.repeat(np.cumsum(count) - count, count)
    stretch = (until - appears_at)[entity] / np.maximum(changes[entity], 1)
    elapsed = (nth - draw.uniform(0.1, 0.9, len(entity))) * stretch
    at = appears_at[entity] + np.where(nth == 0, 0, np.ceil(elapsed)).astype(np.int64)
    return History(entity=entity, at=at, nth=nth, left=changes[entity] - nth)
