"""What kind of bookstore to make up, and how untidily its events arrive."""

import datetime as dt
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from localcloud.errors import LocalCloudError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DAY = 86_400


class PlanError(LocalCloudError):
    """Raised when no bookstore can be made up from the numbers given."""


@dataclass(frozen=True)
class Plan:
    """The size, the days and the seed of a bookstore; the same plan always gives the same events.

    Attributes:
        start: The first day on which orders are placed, UTC.
        end: The last such day; what would happen to an order after it has not happened yet.
        first_id: Customers, books and orders are numbered from here: two plans whose numbers don't meet can share
            topics.
    """

    customers: int
    books: int
    orders: int
    start: dt.date
    end: dt.date
    seed: int = 1
    first_id: int = 1

    def __post_init__(self) -> None:
        for name in ("customers", "books", "orders", "first_id"):
            if getattr(self, name) < 1:
                raise PlanError(f"{name} must be at least 1, found {getattr(self, name)}: give a larger number")
        if self.seed < 0:
            raise PlanError(f"seed must be 0 or more, found {self.seed}: give a natural number")
        if self.start > self.end:
            raise PlanError(f"start must not be after end, found {self.start} and {self.end}: swap them")

    @property
    def opens_at(self) -> int:
        """The first second of `start`, since the epoch."""
        return int(np.datetime64(self.start, "s").astype(np.int64))

    @property
    def closes_at(self) -> int:
        """The last second of `end`, since the epoch."""
        return int(np.datetime64(self.end, "s").astype(np.int64)) + DAY - 1

    def draw(self, part: str) -> np.random.Generator:
        """The random numbers of one part of the bookstore: no other part's draws move them."""
        return np.random.default_rng([self.seed, zlib.crc32(part.encode())])


@dataclass(frozen=True)
class Disorder:
    """How events are delivered otherwise than in order and once; each a share of the valid events.

    Attributes:
        late: Delivered after an event of the same key with a greater sequence. An event can be late only where its key
            has a later one: of such events, at most all are.
        duplicates: Delivered twice.
        malformed: Broken messages, delivered besides the valid ones.
    """

    late: float = 0.0
    duplicates: float = 0.0
    malformed: float = 0.0

    def __post_init__(self) -> None:
        for name in ("late", "duplicates", "malformed"):
            if not 0 <= getattr(self, name) <= 1:
                raise PlanError(f"{name} must be a share from 0 to 1, found {getattr(self, name)}: try 0.02")
