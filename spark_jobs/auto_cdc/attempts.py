"""Steps that are done again when another call came between; each may be done any number of times."""

from collections.abc import Callable
from typing import TypeVar

from spark_jobs.auto_cdc.errors import ConcurrentCallError
from spark_jobs.conflicts import is_conflict, is_race_to_create, until_no_conflict

Result = TypeVar("Result")

OVERTAKEN = "AUTO_CDC_OVERTAKEN"
"""What a statement of ours raises when it reads that another call came between."""

_ATTEMPTS = 10
_ATTEMPTS_TO_PREPARE = 20
_PAUSE_TO_PREPARE_SECONDS = 0.25


def repeated(target: str, step: Callable[[], Result]) -> Result:
    """Does a step until no other call comes between.

    Raises:
        ConcurrentCallError: Others came between every time.
    """
    try:
        return until_no_conflict(step, attempts=_ATTEMPTS, is_conflict=_is_overtaken)
    except Exception as error:
        if not _is_overtaken(error):
            raise
        raise ConcurrentCallError(
            f"{target} can be changed by one call at a time, and other calls came between {_ATTEMPTS} "
            f"times: repeat the call, what it has logged is not lost and not applied twice"
        ) from error


def until_prepared(prepare: Callable[[], Result]) -> Result:
    """Finds or creates what a call needs, until no other call is creating the same; its last error is raised."""
    return until_no_conflict(
        prepare,
        attempts=_ATTEMPTS_TO_PREPARE,
        is_conflict=lambda error: is_race_to_create(error) or OVERTAKEN in str(error),
        pause_seconds=_PAUSE_TO_PREPARE_SECONDS,
    )


def _is_overtaken(error: Exception) -> bool:
    return is_conflict(error) or OVERTAKEN in str(error)
