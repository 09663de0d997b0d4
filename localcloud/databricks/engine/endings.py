"""How tasks and runs end, and how one is told to."""

import threading
import time
from dataclasses import dataclass

from localcloud.errors import LocalCloudError


@dataclass(frozen=True)
class Ending:
    """How a task or run ended, in the API's words."""

    result_state: str
    code: str
    life_cycle_state: str = "TERMINATED"
    message: str = ""
    error: str | None = None
    error_trace: str | None = None


SUCCESS = Ending("SUCCESS", "SUCCESS")
CANCELED = Ending("CANCELED", "USER_CANCELED", message="Run cancelled.")


def timed_out(seconds: int) -> Ending:
    return Ending("TIMEDOUT", "RUN_EXECUTION_ERROR", message=f"Timed out after {seconds} seconds.")


def failed(error: str, trace: str) -> Ending:
    message = "Workload failed, see run output for details"
    return Ending("FAILED", "RUN_EXECUTION_ERROR", message=message, error=error, error_trace=trace)


def not_started(error: LocalCloudError) -> Ending:
    """The cluster or its libraries were not to be had, so nothing ran."""
    return Ending("FAILED", "CLUSTER_ERROR", "INTERNAL_ERROR", message=str(error), error=str(error))


SKIPPED = Ending("UPSTREAM_FAILED", "SKIPPED", "SKIPPED", message="An upstream task failed.")
EXCLUDED = Ending("EXCLUDED", "SKIPPED", "SKIPPED", message="The task's run_if condition was not met.")
INTERRUPTED = Ending(
    "FAILED",
    "INTERNAL_ERROR",
    "INTERNAL_ERROR",
    message="The workspace was restarted while this was running: run it again.",
)


class StopSignal:
    """Tells every task of a run to end: it was cancelled, the workspace stops, or the run's time is over."""

    def __init__(self, timeout_seconds: int) -> None:
        self._event = threading.Event()
        self._timeout = timeout_seconds
        self._deadline = time.monotonic() + (timeout_seconds or float("inf"))
        self._ending = CANCELED

    def request(self, ending: Ending) -> None:
        if not self._event.is_set():
            self._ending = ending
            self._event.set()

    @property
    def is_set(self) -> bool:
        return self._event.is_set() or time.monotonic() > self._deadline

    @property
    def ending(self) -> Ending:
        """How what is stopped ends."""
        return self._ending if self._event.is_set() else timed_out(self._timeout)

    def wait(self, seconds: float) -> None:
        """Returns after so long, or at once when stopped."""
        self._event.wait(min(seconds, max(0.0, self._deadline - time.monotonic())))
