"""Which errors mean that another run came between, so that doing it again can help."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

OVERTAKEN = "AUTO_CDC_OVERTAKEN"
"""What a statement of ours raises when it reads that another call came between."""

_CONFLICTS = ("DELTA_CONCURRENT_", "DELTA_METADATA_CHANGED", "DELTA_PROTOCOL_CHANGED", OVERTAKEN)
# A table's folder is there before its first commit, and its name may be known before it is asked for again.
_BEING_CREATED = ("DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION", "_ALREADY_EXISTS]")
_ATTEMPTS_TO_CREATE = 20
_PAUSE_SECONDS = 0.25


def is_conflict(error: Exception) -> bool:
    """Whether a commit was refused, by Delta or by a statement of ours, for another one that came between.

    Over Connect that is a PySparkException; classic Spark hands Delta's own through as py4j's error.
    """
    return any(conflict in str(error) for conflict in _CONFLICTS)


def is_race_to_create(error: Exception) -> bool:
    """Whether a table was not created since another run was creating the same one."""
    return is_conflict(error) or any(condition in str(error) for condition in _BEING_CREATED)


def until_no_conflict(
    step: Callable[[], Result],
    *,
    attempts: int,
    is_conflict: Callable[[Exception], bool] = is_conflict,
    pause_seconds: float = 0,
) -> Result:
    """Does a step again where another run came between; the last attempt's error is raised."""
    for _ in range(attempts - 1):
        try:
            return step()
        except Exception as error:  # classic Spark's and Spark Connect's are of different families
            if not is_conflict(error):
                raise
        time.sleep(pause_seconds)
    return step()


def until_created(step: Callable[[], Result]) -> Result:
    """Does again what finds tables or creates them, until nobody else is creating them too."""
    return until_no_conflict(
        step, attempts=_ATTEMPTS_TO_CREATE, is_conflict=is_race_to_create, pause_seconds=_PAUSE_SECONDS
    )
