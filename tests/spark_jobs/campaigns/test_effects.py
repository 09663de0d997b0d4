import numpy as np
import pytest
from scipy.stats import norm

from spark_jobs.campaigns.effects import smallest_effect


def test_the_smallest_effect_is_that_of_the_textbook() -> None:
    """(1.96 + 0.84) x sqrt(0.25 x (1/1000 + 1/1000))"""
    assert smallest_effect(1_000, 1_000, 0.5) == pytest.approx(2.8016 * 0.5 * (2 / 1_000) ** 0.5, rel=1e-4)


def test_without_two_groups_nothing_can_be_told() -> None:
    assert smallest_effect(100, 0, 0.5) is None
    assert smallest_effect(0, 100, 0.5) is None


@pytest.mark.parametrize("base_rate", [0.0, 1.0])
def test_where_all_or_none_would_buy_nothing_can_be_told(base_rate: float) -> None:
    assert smallest_effect(100, 20, base_rate) is None


def test_an_effect_of_that_size_is_found_four_times_out_of_five() -> None:
    rng = np.random.default_rng(3)
    written_to, held_out, base = 9_000, 1_000, 0.2
    effect = smallest_effect(written_to, held_out, base)
    assert effect is not None
    bought = rng.binomial(written_to, base + effect, 20_000) / written_to
    would_have = rng.binomial(held_out, base, 20_000) / held_out

    error = np.sqrt(bought * (1 - bought) / written_to + would_have * (1 - would_have) / held_out)
    found = (bought - would_have) / error > norm.isf(0.025)

    assert found.mean() == pytest.approx(0.8, abs=0.02)
