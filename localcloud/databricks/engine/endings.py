"""How tasks and runs end, and how one is told to."""

import threading
import time
from dataclasses import dataclass

from localcloud.errors import LocalCloudError

_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Ending:
    """How a task or run ended, in the API's words; a condition that was decided has an `outcome`, `true` or `false`."""

    result_state: str
    code: str
    life_cycle_state: str = "TERMINATED"
    message: str = ""
    error: str | None = None
    error_trace: str | None = None
    outcome: str | None = None

    @property
    def is_success(self) -> bool:
        return self.result_state == "SUCCESS"


SUCCESS = Ending("SUCCESS", "SUCCESS")
CANCELED = Ending("CANCELED", "USER_CANCELED", message="Run cancelled.")


def timed_out(seconds: int) -> Ending:
    return Ending("TIMEDOUT", "RUN_EXECUTION_ERROR", message=f"Timed out after {seconds} seconds.")


def failed(error: str, trace: str = "", message: str = "Workload failed, see run output for details") -> Ending:
    return Ending("FAILED", "RUN_EXECUTION_ERROR", message=message, error=error, error_trace=trace)


def not_started(error: LocalCloudError) -> Ending:
    """The cluster or its libraries were not to be had, so nothing ran."""
    return Ending("FAILED", "CLUSTER_ERROR", "INTERNAL_ERROR", message=str(error), error=str(error))


def cluster_lost(cluster_id: str) -> Ending:
    """What it ran on has ended, by itself or because somebody terminated it."""
    message = f"Cluster {cluster_id} ended while the task was running: run it again"
    return Ending("FAILED", "CLUSTER_ERROR", "INTERNAL_ERROR", message=message, error=message)


def misconfigured(message: str) -> Ending:
    """Only when its turn came could be seen that it can't run as it is."""
    return Ending("FAILED", "INVALID_RUN_CONFIGURATION", "INTERNAL_ERROR", message=message, error=message)


def decided(outcome: bool) -> Ending:
    return Ending("SUCCESS", "SUCCESS", outcome=str(outcome).lower())


SKIPPED = Ending("UPSTREAM_FAILED", "SKIPPED", "SKIPPED", message="An upstream task failed.")
EXCLUDED = Ending("EXCLUDED", "SKIPPED", "SKIPPED", message="The task's run_if condition was not met.")
INTERRUPTED = Ending(
    "FAILED",
    "INTERNAL_ERROR",
    "INTERNAL_ERROR",
    message="The workspace was restarted while this was running: run it again.",
)


class StopSignal:
    """Tells every task of a run to end: it was cancelled, the workspace stops, or the run's time is over.

    Args:
        timeout_seconds: When the time is over; 0 for never.
        outer: What tells it as well: a run's signal holds for each of its tasks.
    """

    def __init__(self, timeout_seconds: int, outer: "StopSignal | None" = None) -> None:
        self._outer = outer
        self._event = threading.Event()
        self._timeout = timeout_seconds
        self._deadline = time.monotonic() + (timeout_seconds or float("inf"))
        self._ending = CANCELED

    def within(self, timeout_seconds: int = 0) -> "StopSignal":
        """A signal for a part, which may have less time, and can be told to end alone."""
        return StopSignal(timeout_seconds, outer=self)

    def request(self, ending: Ending) -> None:
        if not self._event.is_set():
            self._ending = ending
            self._event.set()

    @property
    def is_set(self) -> bool:
        own = self._event.is_set() or time.monotonic() > self._deadline
        return own or (self._outer is not None and self._outer.is_set)

    @property
    def ending(self) -> Ending:
        """How what is stopped ends."""
        if self._outer is not None and self._outer.is_set:
            return self._outer.ending
        return self._ending if self._event.is_set() else timed_out(self._timeout)

    def wait(self, seconds: float) -> None:
        """Returns after so long, or soon when stopped."""
        end = time.monotonic() + seconds
        while not self.is_set and (left := end - time.monotonic()) > 0:
            self._event.wait(min(left, _LOOK_SECONDS))
