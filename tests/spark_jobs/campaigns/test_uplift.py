"""The difference between a campaign's two groups, held to what is published and to SciPy's own tests."""

import pytest
from scipy.stats import ttest_ind

from spark_jobs.campaigns.uplift import Group, Interval, rate_uplift, revenue_uplift, sample_ratio_p

# Newcombe 1998, table II: buyers of customers in two groups, and the limits that method 10 has for them.
NEWCOMBE = [
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0)),
    ((10, 10), (0, 10), (0.6075, 1.0)),
]


def bought(buyers: int, customers: int) -> Group:
    return Group(customers, buyers)


def spent(*cents: int) -> Group:
    return Group(len(cents), sum(cent > 0 for cent in cents), sum(cents), sum(cent**2 for cent in cents))


@pytest.mark.parametrize(("first", "second", "limits"), NEWCOMBE)
def test_the_interval_of_two_rates_is_the_published_one(
    first: tuple[int, int], second: tuple[int, int], limits: tuple[float, float]
) -> None:
    uplift = rate_uplift(bought(*first), bought(*second))

    assert uplift is not None
    assert uplift.estimate == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert (uplift.low, uplift.high) == pytest.approx(limits, abs=5e-5)


def test_the_interval_of_two_means_is_welchs() -> None:
    written_to, held_out = [0, 0, 1299, 4550, 99, 0, 700], [0, 0, 0, 250]
    welch = ttest_ind([cent / 100 for cent in written_to], [cent / 100 for cent in held_out], equal_var=False)
    limits = welch.confidence_interval(0.95)

    assert revenue_uplift(spent(*written_to), spent(*held_out)) == pytest.approx(
        Interval(66.48 / 7 - 0.625, limits.low, limits.high)
    )


def test_without_chance_in_sight_there_is_no_interval_of_means() -> None:
    assert revenue_uplift(spent(0, 100), spent(100)) is None
    assert revenue_uplift(spent(0, 0, 0), spent(0, 0)) is None
    assert revenue_uplift(spent(0, 100), spent()) is None


def test_an_empty_group_has_no_rate_and_no_uplift() -> None:
    assert rate_uplift(bought(1, 3), bought(0, 0)) is None
    assert (Group().rate, Group().revenue) == (None, None)


def test_the_sizes_of_the_groups_are_held_against_the_share_exactly() -> None:
    """One of ten is what a tenth gives most often. Of the 1,024 draws of ten by a half one has none, and one all."""
    assert sample_ratio_p(9, 1, 0.1) == pytest.approx(1.0)
    assert sample_ratio_p(10, 0, 0.5) == pytest.approx(2 / 1_024)
