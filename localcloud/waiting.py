"""Waiting for a condition, with a limit."""

import time
from collections.abc import Callable

from localcloud.errors import LocalCloudError

_PAUSE_SECONDS = 0.2


def wait_until(holds: Callable[[], bool], expectation: str, limit: float) -> None:
    """Returns once the condition holds.

    Args:
        holds: The condition; what it raises ends the wait.
        expectation: What should happen, for the error's sentence.
        limit: Seconds to wait at most.

    Raises:
        LocalCloudError: The condition didn't hold in time.
    """
    deadline = time.monotonic() + limit
    while not holds():
        if time.monotonic() > deadline:
            raise LocalCloudError(f"{expectation} within {limit:.0f} s, and that did not happen")
        time.sleep(_PAUSE_SECONDS)
