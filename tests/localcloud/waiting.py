"""Waiting for a condition, with a limit."""

import time
from collections.abc import Callable

import httpx


def wait_until(holds: Callable[[], bool], *, limit: float) -> None:
    """Returns once the condition holds; a server that doesn't answer yet counts as no.

    Raises:
        TimeoutError: It didn't within `limit` seconds.
    """
    deadline = time.monotonic() + limit
    while not _answers_yes(holds):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{holds} did not hold within {limit} s")
        time.sleep(0.05)


def _answers_yes(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except httpx.TransportError:
        return False
