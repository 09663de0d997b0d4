"""Stopping what runs on Spark, also where it is about to begin."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

_LONGEST_SECONDS = 60.0
_PAUSE_SECONDS = 0.2


def interrupt_until(left: threading.Event, interrupt: Callable[[], None]) -> None:
    """Interrupts again and again until Spark has been left: what hasn't begun yet isn't stopped by one interruption."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while not left.is_set() and time.monotonic() < deadline:
        try:
            interrupt()
        except Exception:
            log.warning("an interruption failed, and is tried again", exc_info=True)
        left.wait(_PAUSE_SECONDS)
