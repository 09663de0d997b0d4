import numpy as np
import pytest

from spark_jobs.segmentation.drift import WORTH_KNOWING, Counts, drift
from spark_jobs.segmentation.features import Values

FEATURES = 5


def tenths(earlier: Values, later: Values) -> tuple[Counts, Counts]:
    """Two samples, counted in the tenths of the first."""
    edges = np.quantile(earlier, np.arange(1, 10) / 10)
    before, now = (np.bincount(np.searchsorted(edges, sample), minlength=10) for sample in (earlier, later))
    return before, now


def test_the_index_is_that_of_the_definition() -> None:
    found = drift(np.array([200, 300, 500]), np.array([150, 100, 250]), FEATURES)

    by_hand = 0.1 * np.log(0.3 / 0.2) + -0.1 * np.log(0.2 / 0.3) + 0
    assert found.psi == pytest.approx(by_hand)
    assert (found.cells, found.threshold, found.is_alarm) == (3, WORTH_KNOWING, False)


def test_the_same_shares_have_no_drift_whatever_the_sizes() -> None:
    assert drift(np.array([100, 300]), np.array([200, 600]), FEATURES).psi == pytest.approx(0)


def test_the_threshold_of_small_samples_is_what_chance_gives() -> None:
    """chi2.isf(1e-4 / 5, 1) is 18.19."""
    small = drift(np.array([50, 50]), np.array([25, 25]), FEATURES)

    assert small.threshold == pytest.approx((1 / 100 + 1 / 50) * 18.19, rel=1e-3)


def test_a_segment_that_is_new_or_gone_does_not_make_it_infinite() -> None:
    found = drift(np.array([0, 1_000]), np.array([300, 700]), FEATURES)

    assert found.is_alarm
    assert found.psi == pytest.approx(0.3 * np.log(0.3 / (0.5 / 1000.5)) + 0.3 * np.log(1 / 0.7), rel=1e-2)


def test_rare_cells_are_pooled_until_ten_customers_can_be_expected() -> None:
    found = drift(np.array([3, 4, 5, 988]), np.array([6, 4, 5, 985]), FEATURES)

    assert found.cells == 2
    assert drift(np.array([3, 5]), np.array([6, 2]), FEATURES).cells == 1


@pytest.mark.parametrize("customers", [(150, 150), (1_000, 1_000), (5_000, 300)])
def test_an_unshifted_feature_has_no_alarm_in_a_thousand_draws(customers: tuple[int, int]) -> None:
    rng = np.random.default_rng(7)
    draws = [[rng.lognormal(3, 1, size) for size in customers] for _ in range(1_000)]

    assert sum(drift(*tenths(*draw), FEATURES).is_alarm for draw in draws) == 0


def test_chance_alone_passes_the_usual_thresholds_in_small_samples() -> None:
    """What the threshold is for: 0.1 by itself would cry wolf."""
    rng = np.random.default_rng(7)
    found = [drift(*tenths(rng.lognormal(3, 1, 150), rng.lognormal(3, 1, 150)), FEATURES) for _ in range(200)]

    assert sum(one.psi > WORTH_KNOWING for one in found) > 50
    assert not any(one.is_alarm for one in found)


@pytest.mark.parametrize(("customers", "factor"), [(150, 3.0), (1_000, 1.6), (20_000, 1.6)])
def test_a_shifted_feature_trips_the_alarm(customers: int, factor: float) -> None:
    rng = np.random.default_rng(7)
    before, now = rng.lognormal(3, 1, customers), rng.lognormal(3, 1, customers) * factor

    assert drift(*tenths(before, now), FEATURES).is_alarm


def test_a_sure_but_tiny_shift_is_no_alarm() -> None:
    rng = np.random.default_rng(7)
    before, now = rng.lognormal(3, 1, 200_000), rng.lognormal(3.05, 1, 200_000)

    found = drift(*tenths(before, now), FEATURES)

    assert 0 < found.psi < WORTH_KNOWING
    assert not found.is_alarm
