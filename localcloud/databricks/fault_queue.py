"""Faults that were asked for and haven't happened yet, of routes and of clusters."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Fault(Protocol):
    """What happens some times.

    Attributes:
        times: How often it is still to come.
    """

    times: int


Kind = TypeVar("Kind", bound=Fault)


@dataclass
class FaultQueue(Generic[Kind]):
    """Faults of one kind, in the order in which they were asked for."""

    _faults: list[Kind] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Kind) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def to_come(self) -> list[Kind]:
        return list(self._faults)

    def next(self, concerns: Callable[[Kind], bool]) -> Kind | None:
        """The first fault that fits, which then has one time less to come."""
        with self._lock:
            found = next(filter(concerns, self._faults), None)
            if found is not None:
                found.times -= 1
                self._faults = [fault for fault in self._faults if fault.times > 0]
            return found
