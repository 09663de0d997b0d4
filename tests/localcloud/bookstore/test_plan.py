import datetime as dt
from typing import Any

import numpy as np
import pytest

from localcloud.bookstore.plan import Disorder, Plan, PlanError

SENSIBLE: dict[str, Any] = {
    "customers": 1, "books": 1, "orders": 1, "start": dt.date(2026, 1, 1), "end": dt.date(2026, 1, 1),
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"customers": 0}, "customers must be at least 1, found 0"),
        ({"books": 0}, "books must be at least 1, found 0"),
        ({"orders": -5}, "orders must be at least 1, found -5"),
        ({"first_id": 0}, "first_id must be at least 1, found 0"),
        ({"seed": -1}, "seed must be 0 or more, found -1"),
        ({"start": dt.date(2026, 1, 2)}, "start must not be after end, found 2026-01-02 and 2026-01-01"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        Plan(**{**SENSIBLE, **change})


@pytest.mark.parametrize("name", ["late", "duplicates", "malformed"])
@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_a_rate_is_a_share(name: str, rate: float) -> None:
    with pytest.raises(PlanError, match=f"{name} must be a share from 0 to 1, found {rate}"):
        Disorder(**{name: rate})


def test_the_days_are_whole_and_in_utc() -> None:
    plan = Plan(**SENSIBLE)
    assert (plan.opens_at, plan.closes_at) == (1_767_225_600, 1_767_311_999)


def test_each_part_draws_numbers_of_its_own() -> None:
    plan = Plan(**SENSIBLE)
    assert np.array_equal(plan.draw("orders").random(3), plan.draw("orders").random(3))
    assert not np.array_equal(plan.draw("orders").random(3), plan.draw("books").random(3))
