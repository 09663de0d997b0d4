"""Which errors mean that another commit came between, so that doing it again can help."""

from collections.abc import Callable

_CONFLICTS = ("DELTA_CONCURRENT_", "DELTA_METADATA_CHANGED", "DELTA_PROTOCOL_CHANGED")


def is_conflict(error: Exception) -> bool:
    """Whether a commit was refused for another one that came between.

    Over Connect that is a PySparkException; classic Spark hands Delta's own through as py4j's error.
    """
    return any(conflict in str(error) for conflict in _CONFLICTS)


def until_no_conflict(step: Callable[[], None], *, attempts: int) -> None:
    """Does a step again where another commit came between; the last attempt's error is raised."""
    for _ in range(attempts - 1):
        try:
            return step()
        except Exception as error:  # classic Spark's and Spark Connect's are of different families
            if not is_conflict(error):
                raise
    return step()
