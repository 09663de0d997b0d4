"""Names that follow from where a cluster's centre lies."""

import itertools
from bisect import bisect_right
from collections.abc import Collection, Sequence

import numpy as np

from spark_jobs.segmentation.features import Values

EDGES = (-0.5, 0.5, 1.25)
"""Standard deviations from the mean customer (of the logs) between low, middling, high and very high."""

# For a centre that is low, middling, high and very high.
_RECENCY = ("active", "", "lapsed", "long-lapsed")
_MONETARY = ("low-spending", "", "big-spending", "top-spending")
_FREQUENCY = ("rare buyers", "buyers", "regulars", "regulars")
_ALL_MIDDLING = "average buyers"


def order_of_value(centres: Values) -> list[int]:
    """Positions of the centres: most money first, then most orders, then the most recent."""
    return [int(position) for position in np.lexsort((centres[:, 0], -centres[:, 1], -centres[:, 2]))]


def names(centres: Values, taken: Collection[str] = ()) -> list[str]:
    """A name for each centre, e.g. "Active big-spending regulars", none twice and none that is `taken`.

    Each word says how high the centre is in one feature: see `EDGES`. Where several centres would have the same name,
    the one of most value has it alone and the others are numbered.
    """
    used = set(taken)
    named: dict[int, str] = {}
    for position in order_of_value(centres):
        named[position] = _first_free(_described(centres[position].tolist()), used)
        used.add(named[position])
    return [named[position] for position in range(len(centres))]


def _described(centre: Sequence[float]) -> str:
    recency, frequency, monetary = (bisect_right(EDGES, number) for number in centre)
    if recency == frequency == monetary == 1:
        return _ALL_MIDDLING.capitalize()
    words = (_RECENCY[recency], _MONETARY[monetary], _FREQUENCY[frequency])
    return " ".join(word for word in words if word).capitalize()


def _first_free(name: str, used: Collection[str]) -> str:
    numbered = (f"{name} {number}" for number in itertools.count(2))
    return next(candidate for candidate in itertools.chain([name], numbered) if candidate not in used)
