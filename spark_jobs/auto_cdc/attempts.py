"""Steps that are done again when another call came between; each may be done any number of times."""

from collections.abc import Callable
from typing import TypeVar

from spark_jobs.auto_cdc.errors import ConcurrentCallError
from spark_jobs.conflicts import is_conflict, until_no_conflict

Result = TypeVar("Result")

_ATTEMPTS = 10


def repeated(target: str, step: Callable[[], Result]) -> Result:
    """Does a step until no other call comes between.

    Raises:
        ConcurrentCallError: Others came between every time.
    """
    try:
        return until_no_conflict(step, attempts=_ATTEMPTS)
    except Exception as error:
        if not is_conflict(error):
            raise
        raise ConcurrentCallError(
            f"{target} can be changed by one call at a time, and other calls came between {_ATTEMPTS} "
            f"times: repeat the call, what it has logged is not lost and not applied twice"
        ) from error
