"""How silhouettes are measured and compared."""

SAMPLE_SIZE = 3_000
"""Customers on which silhouettes are measured; comparing all with all would grow with their square."""

TOLERANCE = 0.02
"""Silhouettes this close say the same: another sample would put them in another order. Then what serves people more
decides: more clusters rather than fewer, and newer centres rather than older."""


def as_good(silhouette: float, best: float) -> bool:
    """Whether a silhouette is no worse than the best by more than `TOLERANCE`."""
    return silhouette >= best - TOLERANCE
