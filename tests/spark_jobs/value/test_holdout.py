import datetime as dt

import numpy as np
import pandas as pd
import pytest

from spark_jobs.value.holdout import Errors, HoldoutTest, judge

CUT = dt.date(2026, 1, 31)


def known(customers: int, *, age: int = 400, seed: int = 3) -> pd.DataFrame:
    """Customers of BG/NBD, who never go, with twice the last period's purchases drawn anew in the held-out one."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(1.5, 1 / 60, customers)
    repeats = rng.poisson(rates * age)
    last = np.where(repeats > 0, age * rng.beta(np.maximum(repeats, 1), 1), 0)
    value = rng.gamma(6, 1 / rng.gamma(4, 1 / 15, customers))
    came, had_come = (rng.poisson(rates * 90) for _ in range(2))
    columns = {"repeats": repeats, "last_repeat_days": last, "age_days": age, "repeat_value": value * (repeats > 0)}
    periods = {"purchases": came, "value": came * value, "last_purchases": had_come, "last_value": had_come * value}
    return pd.DataFrame({**columns, **periods})


def test_who_buys_at_a_steady_rate_is_better_estimated_than_repeated() -> None:
    found = judge(known(1_000), CUT, 90)

    assert found.is_better
    assert found.customers == 1_000
    assert found.verdict.startswith("better than the same as in the last period: error per customer in purchases 1.")


def test_where_the_last_period_says_more_the_verdict_says_so() -> None:
    rows = known(1_000)
    rows = rows.assign(last_purchases=rows["purchases"], last_value=rows["value"])

    found = judge(rows, CUT, 90)

    assert found.is_better is False
    assert found.verdict.startswith("not better in purchases and value than the same as in the last period: error per")


def test_errors_are_root_mean_squares() -> None:
    assert HoldoutTest(2, Errors(1.0, 2.0), Errors(3.0, 2.5)).verdict == (
        "not better in value than the same as in the last period: error per customer in purchases 1.00 against 2.00, "
        "value 3.00 against 2.50, 2 customers"
    )


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (known(1_000, age=89), "no purchase is older than two periods of 90 days"),
        (known(0), "no purchase is older than two periods of 90 days"),
        (known(50), "100 customers who bought on two days or more up to 2026-01-31 are required"),
    ],
)
def test_without_a_test_there_is_a_reason(rows: pd.DataFrame, reason: str) -> None:
    found = judge(rows, CUT, 90)

    assert (found.is_better, found.customers) == (None, 0)
    assert found.verdict.startswith(f"not tested: {reason}")
