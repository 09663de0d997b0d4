"""Customers in groups that are known, for clusters to be checked against."""

import numpy as np
from numpy.typing import NDArray

from spark_jobs.segmentation.features import Values

# Typical days since the last order, orders, and money.
CHAMPIONS, NEWCOMERS, LAPSED, REGULARS = (3, 40, 2_000), (8, 1, 25), (220, 4, 120), (30, 12, 400)
GROUPS = (CHAMPIONS, NEWCOMERS, LAPSED, REGULARS)


def planted(
    *groups: tuple[float, float, float], each: int = 100, spread: float = 0.15, seed: int = 0
) -> tuple[Values, NDArray[np.intp]]:
    """`each` customers per group, scattered evenly on a log scale, and which group each belongs to; shuffled."""
    rng = np.random.default_rng(seed)
    which = rng.permutation(np.repeat(np.arange(len(groups)), each))
    values = np.expm1(np.log1p(np.array(groups, dtype=float)[which]) + rng.normal(0, spread, (len(which), 3)))
    whole = np.maximum(np.round(values), (0, 1, 0))
    return np.column_stack([whole[:, :2], np.round(values[:, 2], 2)]), which
