"""Faults on demand of clusters: no machine to be had, or one that is slow to come."""

import threading
from dataclasses import dataclass, field
from enum import StrEnum

from localcloud.errors import LocalCloudError


class Kind(StrEnum):
    """What the next starts meet."""

    NO_CAPACITY = "no-capacity"
    SLOW = "slow"


class NoCapacityError(LocalCloudError):
    """Raised where Azure has no machine of the wanted kind left."""


@dataclass
class ClusterFault:
    """What starts to come meet.

    Attributes:
        times: How many starts still do.
        seconds: By how much longer a slow start takes.
    """

    kind: Kind
    times: int
    seconds: float = 0


@dataclass
class ClusterFaults:
    """The faults that were asked for and haven't happened yet."""

    closing: threading.Event
    _faults: list[ClusterFault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: ClusterFault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def to_come(self) -> list[ClusterFault]:
        return list(self._faults)

    def meet(self, cluster_id: str) -> None:
        """What a start does first.

        Raises:
            NoCapacityError: The words, and the code in them, are those of Databricks.
        """
        fault = self._next()
        if fault is None:
            return
        if fault.kind is Kind.SLOW:
            self.closing.wait(fault.seconds)
        else:
            raise NoCapacityError(
                f"Cluster '{cluster_id}' was terminated. Reason: CLOUD_PROVIDER_RESOURCE_STOCKOUT (CLOUD_FAILURE). "
                f"A fault on demand: there will be no machine for {fault.times} more starts"
            )

    def _next(self) -> ClusterFault | None:
        with self._lock:
            found = self._faults[0] if self._faults else None
            if found is not None:
                found.times -= 1
                self._faults = [fault for fault in self._faults if fault.times > 0]
            return found
