"""Which errors mean that another commit came between, so that doing it again can help."""

_CONFLICTS = ("DELTA_CONCURRENT_", "DELTA_METADATA_CHANGED", "DELTA_PROTOCOL_CHANGED")


def is_conflict(error: Exception) -> bool:
    """Whether a commit was refused for another one that came between.

    Over Connect that is a PySparkException; classic Spark hands Delta's own through as py4j's error.
    """
    return any(conflict in str(error) for conflict in _CONFLICTS)
