"""In which order a topic's events arrive: late ones, second copies and broken ones mixed in."""

from dataclasses import dataclass

import numpy as np

from localcloud.bookstore.defects import DEFECTS
from localcloud.bookstore.plan import Disorder, Flags, Floats, Ints
from localcloud.bookstore.stream import Message, Stream

SPREAD = 2_000
"""How many places further a displaced event or a second copy may arrive."""
INTACT = -1


@dataclass(frozen=True)
class Delivery:
    """A topic's order of arrival.

    Attributes:
        events: Which event of the stream arrives.
        defect: In which broken form, as an index of the topic's `DEFECTS`, or `INTACT`.
        late: How many events arrive late.
        duplicates: How many arrive twice.
    """

    stream: Stream
    events: Ints
    defect: Ints
    late: int
    duplicates: int

    def __len__(self) -> int:
        return len(self.events)

    @property
    def malformed(self) -> int:
        return int(np.count_nonzero(self.defect != INTACT))

    def messages(self, places: Ints) -> list[Message]:
        """What arrives at these places of the queue."""
        messages = self.stream.messages(self.events[places])
        broken = np.flatnonzero(self.defect[places] != INTACT)
        for place, (message, _) in zip(broken.tolist(), self.broken(places[broken]), strict=True):
            messages[place] = message
        return messages

    def broken(self, places: Ints) -> list[tuple[Message, str]]:
        """The broken messages at these places, each with the reason for which it can't be read."""
        defects = [DEFECTS[self.stream.topic][index] for index in self.defect[places].tolist()]
        intact = self.stream.documents(self.events[places])
        return [(defect.apply(message), defect.reason) for defect, message in zip(defects, intact, strict=True)]


def deliver(stream: Stream, disorder: Disorder) -> Delivery:
    """The same stream and disorder always give the same delivery."""
    draw = stream.plan.draw(f"delivery of {stream.topic}")
    count = len(stream)
    late = _late(stream, disorder.late, draw)
    place = _places(stream, late, draw)
    copies = np.sort(draw.choice(count, round(disorder.duplicates * count), replace=False))
    broken = draw.choice(np.flatnonzero(stream.has_value), round(disorder.malformed * count))
    places = np.concatenate([place, place[copies] + _steps(draw, len(copies)), draw.uniform(0, count, len(broken))])
    defects = np.arange(len(broken)) % len(DEFECTS[stream.topic])
    order = np.argsort(places, kind="stable")
    return Delivery(
        stream=stream,
        events=np.concatenate([np.arange(count), copies, broken])[order],
        defect=np.concatenate([np.full(count + len(copies), INTACT), defects])[order],
        late=int(np.count_nonzero(late)),
        duplicates=len(copies),
    )


def _late(stream: Stream, share: float, draw: np.random.Generator) -> Flags:
    """Only an event that has a successor can be overtaken."""
    successor = np.append(_next(stream.is_sequenced)[1:], len(stream))
    entity = np.append(stream.entity, -1)
    candidates = np.flatnonzero(stream.is_sequenced & (entity[successor] == stream.entity))
    late = np.zeros(len(stream), dtype=bool)
    wanted = min(round(share * len(stream)), len(candidates))
    late[draw.choice(candidates, wanted, replace=False)] = True
    return late


def _places(stream: Stream, late: Flags, draw: np.random.Generator) -> Floats:
    """Each event's place in the queue: its true one, or somewhere behind its entity's next event that is not late."""
    place = np.empty(len(stream))
    place[stream.in_true_order()] = np.arange(len(stream))
    overtaker = _next(stream.is_sequenced & ~late)[late]
    place[late] = place[overtaker] + _steps(draw, len(overtaker))
    return place


def _next(flags: Flags) -> Ints:
    """The first index, at or after each, whose flag is set; the length where there is none."""
    index = np.where(flags, np.arange(len(flags)), len(flags))
    return np.minimum.accumulate(index[::-1])[::-1]


def _steps(draw: np.random.Generator, count: int) -> Floats:
    return draw.uniform(0.5, SPREAD, count)
