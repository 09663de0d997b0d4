import numpy as np
import pytest
from scipy.special import hyp2f1

from spark_jobs.errors import TooLittleDataError
from spark_jobs.value.fitting import Numbers, fit
from spark_jobs.value.histories import Histories
from spark_jobs.value.purchases import PurchaseModel
from spark_jobs.value.spending import SpendingModel
from tests.spark_jobs.value import cdnow

# Fader, Hardie and Lee (2005) and Fader and Hardie (2013), on the same customers.
PUBLISHED_PURCHASES = {"r": 0.2426, "alpha": 4.4135, "a": 0.7929, "b": 2.4258}
PUBLISHED_SPENDING = {"p": 6.249, "q": 3.745, "v": 15.448}
# The customer of the paper's example: 2 repeat purchases, the last one after 30.43 of 38.86 weeks.
EXAMPLE = Histories(*(np.array([number]) for number in (2.0, 30.43, 38.86, 22.35)))


@pytest.fixture(scope="module")
def purchases() -> PurchaseModel:
    return PurchaseModel.fit(cdnow.histories())


def test_bg_nbd_has_the_published_parameters(purchases: PurchaseModel) -> None:
    assert vars(purchases) == pytest.approx(PUBLISHED_PURCHASES, rel=0.005)


def test_gamma_gamma_has_the_published_parameters() -> None:
    assert vars(SpendingModel.fit(cdnow.histories())) == pytest.approx(PUBLISHED_SPENDING, rel=0.005)


def test_the_unit_of_time_changes_alpha_alone(purchases: PurchaseModel) -> None:
    weeks = cdnow.histories()
    days = Histories(weeks.repeats, 7 * weeks.last_repeat, 7 * weeks.age, weeks.repeat_value)

    assert vars(PurchaseModel.fit(days)) == pytest.approx({**vars(purchases), "alpha": 7 * purchases.alpha}, rel=1e-3)


def test_a_customers_future_is_that_of_the_paper() -> None:
    """1.226 purchases in 39 weeks, by the paper's own formula and spreadsheet."""
    model = PurchaseModel(**PUBLISHED_PURCHASES)

    assert model.expected(EXAMPLE, 39.0) == pytest.approx([1.226], abs=5e-4)


def test_the_transformed_formula_is_the_papers() -> None:
    model = PurchaseModel(**PUBLISHED_PURCHASES)
    r, alpha, a, b = vars(model).values()
    repeats, age, horizon = np.array([0.0, 1.0, 7.0]), np.array([5.0, 20.0, 38.0]), 13.0

    end = alpha + age + horizon
    gone = ((alpha + age) / end) ** (r + repeats) * hyp2f1(r + repeats, b + repeats, a + b + repeats - 1, horizon / end)

    expected = (a + b + repeats - 1) / (a - 1) * (1 - gone)
    np.testing.assert_allclose(model.expected_if_alive(repeats, age, horizon), expected, rtol=1e-10)


def test_thousands_of_purchases_overflow_nothing() -> None:
    model = PurchaseModel(r=3.3, alpha=61.0, a=0.24, b=7.9)
    faithful = Histories(*(np.array([number]) for number in (3_000.0, 3_600.0, 3_601.0, 10.0)))
    gone = Histories(*(np.array([number]) for number in (3_000.0, 100.0, 3_601.0, 10.0)))

    # 3,003.3 purchases in 3,662 days, of which each might have been the last with a chance of 1 in 12,500.
    assert model.expected(faithful, 90.0) == pytest.approx([90 * 3_003.3 / 3_662], rel=0.01)
    assert model.expected(gone, 90.0) == [0.0]


def test_a_value_of_one_for_a_is_no_hole() -> None:
    def expected(a: float) -> Numbers:
        return PurchaseModel(0.24, 4.4, a, 2.4).expected(EXAMPLE, 39.0)

    assert expected(1.0) == pytest.approx((expected(0.999) + expected(1.001)) / 2, rel=1e-4)


def test_who_never_bought_again_cannot_have_gone_and_spends_like_everybody() -> None:
    once = Histories(*(np.array([number]) for number in (0.0, 0.0, 38.86, 0.0)))

    assert PurchaseModel(**PUBLISHED_PURCHASES).p_alive(once) == [1.0]
    # p v / (q - 1)
    assert SpendingModel(6.0, 4.0, 15.0).expected_average(once.repeats, once.repeat_value) == pytest.approx([30.0])
    # p (v + x m) / (p x + q - 1)
    assert SpendingModel(6.0, 4.0, 15.0).expected_average(np.array([2.0]), np.array([60.0])) == pytest.approx([54.0])


def test_customers_who_are_all_alike_go_on_as_they_did() -> None:
    alike = Histories(*(np.full(200, number) for number in (40.0, 395.0, 400.0, 20.0)))

    purchases, spending = PurchaseModel.fit(alike), SpendingModel.fit(alike)

    assert purchases.p_alive(alike) == pytest.approx(1.0, abs=0.01)
    assert purchases.expected(alike, 90.0) == pytest.approx(90 * 40 / 400, rel=0.02)
    assert spending.expected_average(alike.repeats, alike.repeat_value) == pytest.approx(20.0, rel=0.01)


def test_a_mean_that_a_few_huge_purchases_decide_is_refused() -> None:
    rng = np.random.default_rng(1)
    repeats = np.full(500, 3.0)
    means = rng.gamma(2 * repeats, 1) / repeats / rng.gamma(0.5, 1, 500)
    huge = Histories(repeats, repeats, 2 * repeats, means)

    with pytest.raises(TooLittleDataError, match=r"a q above 1, found 0\."):
        SpendingModel.fit(huge)


def test_a_fit_finds_a_known_maximum() -> None:
    assert fit(lambda two: -((two[0] - 2) ** 2) - (two[1] - 0.5) ** 2, "one two") == pytest.approx([2.0, 0.5], abs=1e-5)


def test_a_search_that_finds_no_way_up_is_no_fit() -> None:
    with pytest.raises(TooLittleDataError, match="to estimate one two, and these have no best estimate"):
        fit(lambda _: float("nan"), "one two")
