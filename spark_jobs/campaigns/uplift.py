"""What a campaign brought: who was written to beside who was held out, with the range that chance leaves open."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from scipy.stats import binomtest, t

from spark_jobs.campaigns.effects import SIGNIFICANCE

CONFIDENCE = 1 - SIGNIFICANCE
RATIO_ALARM = 0.001
"""Below this probability the groups' sizes aren't put down to chance: what is usual for such checks (Kohavi, Tang and
Xu, *Trustworthy Online Controlled Experiments*, 2020, chapter 21)."""
_FEWEST = 2
"""Customers of whom a variance can be told."""


class Interval(NamedTuple):
    """An estimate, and between which values the truth lies with a confidence of 95 %."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Group:
    """One of a campaign's two groups, and what it bought.

    Attributes:
        customers: How many are in it, whether they bought or not.
        buyers: Those with an order that counts.
        cents: What all of them spent.
        square_cents: The sum of the squares of what each of them spent.
    """

    customers: int = 0
    buyers: int = 0
    cents: int = 0
    square_cents: int = 0

    @property
    def rate(self) -> float | None:
        """The share who bought; None of nobody."""
        return self.buyers / self.customers if self.customers else None

    @property
    def revenue(self) -> float | None:
        """Per customer, in whole units of money; None of nobody."""
        return self.cents / self.customers / 100 if self.customers else None

    @property
    def revenue_variance(self) -> float:
        """Between its customers, of at least two."""
        n = self.customers
        return (n * self.square_cents - self.cents**2) / (n * (n - 1)) / 100**2


def rate_uplift(written_to: Group, held_out: Group) -> Interval | None:
    """By how much larger the share of buyers is among those who were written to; None where a group is empty.

    The hybrid score interval of Newcombe, *Interval estimation for the difference between independent proportions*,
    Statistics in Medicine 17 (1998), method 10. Each share's Wilson limits are put together as independent errors are,
    so that it holds for small groups too, and where nobody or everybody bought.
    """
    p1, p2 = written_to.rate, held_out.rate
    if p1 is None or p2 is None:
        return None
    (low1, high1), (low2, high2) = _wilson(written_to), _wilson(held_out)
    difference = p1 - p2
    below, above = math.hypot(p1 - low1, high2 - p2), math.hypot(high1 - p1, p2 - low2)
    return Interval(difference, difference - below, difference + above)


def revenue_uplift(written_to: Group, held_out: Group) -> Interval | None:
    """By how much more a customer who was written to spent; buyers or not, in whole units of money.

    Welch's interval, for groups of different sizes and variances (Welch, *The generalization of "Student's" problem
    when several different population variances are involved*, Biometrika 34, 1947).

    Returns:
        None where a group has fewer than two customers, or where none differs from another of the group: then nothing
        tells how much chance there is.
    """
    first, second = written_to.revenue, held_out.revenue
    if first is None or second is None or min(written_to.customers, held_out.customers) < _FEWEST:
        return None
    errors = [group.revenue_variance / group.customers for group in (written_to, held_out)]
    if not sum(errors):
        return None
    weights = zip(errors, (written_to.customers, held_out.customers), strict=True)
    freedom = sum(errors) ** 2 / sum(error**2 / (customers - 1) for error, customers in weights)
    reach = float(t.isf(SIGNIFICANCE / 2, freedom)) * math.sqrt(sum(errors))
    return Interval(first - second, first - second - reach, first - second + reach)


def sample_ratio_p(written_to: int, held_out: int, held_out_share: float) -> float:
    """How probable it is that a draw with this share gives groups at least as far from it: exact, two-sided."""
    return float(binomtest(held_out, written_to + held_out, held_out_share).pvalue)


def _wilson(group: Group) -> tuple[float, float]:
    limits = binomtest(group.buyers, group.customers).proportion_ci(CONFIDENCE, method="wilson")
    return float(limits.low), float(limits.high)
