"""How large an effect has to be for a campaign of a given size to show it."""

import math

from scipy.stats import norm

SIGNIFICANCE, POWER = 0.05, 0.8
RESPONSE_DAYS = 30
"""How long after it a campaign's effect is looked for, unless said otherwise."""


def smallest_effect(written_to: int, held_out: int, base_rate: float) -> float | None:
    """The smallest difference between the two groups' rates that is found four times out of five.

    By the normal approximation for two shares, two-sided at 5 %.

    Args:
        written_to: Customers who get the campaign.
        held_out: Customers who don't.
        base_rate: The share of them who would have bought without it.

    Returns:
        The difference in shares, e.g. 0.03 for three in a hundred. None where a group is empty, or where all or none
        would have bought: the approximation would call any difference certain.
    """
    if not written_to or not held_out or not 0 < base_rate < 1:
        return None
    both = float(norm.isf(SIGNIFICANCE / 2) + norm.ppf(POWER))
    return both * math.sqrt(base_rate * (1 - base_rate) * (1 / written_to + 1 / held_out))
