"""Faults on demand of clusters: no machine to be had, or one that is slow to come."""

import threading
from dataclasses import dataclass
from enum import StrEnum

from localcloud.databricks.fault_queue import FaultQueue
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


class ClusterFaults(FaultQueue[ClusterFault]):
    """Those of clusters.

    Args:
        closing: Ends every wait.
    """

    def __init__(self, closing: threading.Event) -> None:
        super().__init__()
        self._closing = closing

    def meet(self, cluster_id: str) -> None:
        """What a start does first.

        Raises:
            NoCapacityError: The words, and the code in them, are those of Databricks.
        """
        fault = self.next(lambda _: True)
        if fault is None:
            return
        if fault.kind is Kind.SLOW:
            self._closing.wait(fault.seconds)
        else:
            raise NoCapacityError(
                f"Cluster '{cluster_id}' was terminated. Reason: CLOUD_PROVIDER_RESOURCE_STOCKOUT (CLOUD_FAILURE). "
                f"A fault on demand: there will be no machine for {fault.times} more starts"
            )
