"""How far a partition's customers have moved from an earlier one's, and when that is more than chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

Counts = NDArray[np.int64]
"""Customers per cell: a bin of a feature's values, or a segment."""

WORTH_KNOWING = 0.1
"""Below this, a population stability index means nothing to anybody, however sure it is."""

FALSE_ALARMS = 1e-4
"""How often a date has an alarm by chance alone, all of its features together: daily, once in 27 years."""

_SPARSE = 10
_HALF_A_CUSTOMER = 0.5


@dataclass(frozen=True)
class Drift:
    """The population stability index of one feature, and what it is held against.

    Attributes:
        psi: Sum over the cells of (share now - share before) x ln(share now / share before); 0 where nothing moved.
        cells: How many cells were compared.
        threshold: What `psi` has to exceed for an alarm.
    """

    psi: float
    cells: int
    threshold: float

    @property
    def is_alarm(self) -> bool:
        return self.psi > self.threshold


def drift(earlier: Counts, later: Counts, features: int) -> Drift:
    """Compares two samples, cell by cell.

    Two samples of n and m from the same distribution have an index of about (1/n + 1/m) times a chi-square variable
    with one degree of freedom less than there are cells. So chance alone passes 0.1, and 0.25, in small samples. An
    alarm needs both: more than chance gives, and more than `WORTH_KNOWING`.

    Args:
        earlier: Customers per cell before.
        later: Customers in the same cells now.
        features: How many are compared on this date: they share the chance of a false alarm.
    """
    earlier, later = _without_sparse_cells(earlier, later)
    cells = len(earlier)
    if cells == 1:
        return Drift(0.0, cells, WORTH_KNOWING)
    before, now = _shares(earlier), _shares(later)
    psi = float(np.sum((now - before) * np.log(now / before)))
    by_chance = (1 / earlier.sum() + 1 / later.sum()) * chi2.isf(FALSE_ALARMS / features, cells - 1)
    return Drift(psi, cells, max(WORTH_KNOWING, float(by_chance)))


def _without_sparse_cells(earlier: Counts, later: Counts) -> tuple[Counts, Counts]:
    """Pools the rarest cells until each can be expected to have ten customers in either sample.

    The chi-square law doesn't hold in cells with few.
    """
    both = earlier + later
    order = np.argsort(both, kind="stable")
    expected = np.cumsum(both[order]) / both.sum() * min(earlier.sum(), later.sum())
    # Cells go into the pool up to and including the one with which the pool has enough.
    pooled = int(np.searchsorted(expected, _SPARSE)) + 1
    pool, others = order[:pooled], order[pooled:]
    return np.append(earlier[others], earlier[pool].sum()), np.append(later[others], later[pool].sum())


def _shares(counts: Counts) -> NDArray[np.float64]:
    """Shares of the cells, where an empty one has half a customer: a share of 0 would make the index infinite."""
    filled = np.maximum(counts, _HALF_A_CUSTOMER)
    shares: NDArray[np.float64] = filled / filled.sum()
    return shares
