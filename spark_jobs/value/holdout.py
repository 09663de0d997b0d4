"""Whether the estimates are better than the simplest one: the next period will be as the last one was."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spark_jobs.errors import TooLittleDataError
from spark_jobs.value.fitting import Numbers
from spark_jobs.value.histories import Histories
from spark_jobs.value.model import ValueModel


@dataclass(frozen=True)
class Errors:
    """Root mean square errors over the same customers.

    Attributes:
        model: Of the estimates.
        last_period: Of "the same as in the last period".
    """

    model: float
    last_period: float

    @property
    def is_better(self) -> bool:
        return self.model < self.last_period


@dataclass(frozen=True)
class HoldoutTest:
    """A model fitted on all but the last period, tested on that one; without errors where it couldn't be.

    Attributes:
        customers: Those who were known before the period.
        purchases: Errors in the number of purchases; None where there was no test.
        value: Errors in their worth.
        reason: Why there was no test.
    """

    customers: int = 0
    purchases: Errors | None = None
    value: Errors | None = None
    reason: str = ""

    @property
    def is_better(self) -> bool | None:
        if self.purchases is None or self.value is None:
            return None
        return self.purchases.is_better and self.value.is_better

    @property
    def verdict(self) -> str:
        if self.purchases is None or self.value is None:
            return f"not tested: {self.reason}"
        each = {"purchases": self.purchases, "value": self.value}
        figures = ", ".join(f"{name} {one.model:.2f} against {one.last_period:.2f}" for name, one in each.items())
        worse = " and ".join(name for name, one in each.items() if not one.is_better)
        start = f"not better in {worse} than" if worse else "better than"
        return f"{start} the same as in the last period: error per customer in {figures}, {self.customers} customers"


def judge(held_out: pd.DataFrame, cut: dt.date, horizon_days: int) -> HoldoutTest:
    """Fits on what was known at `cut` and compares with what came.

    Args:
        held_out: The columns of `transforms.purchases.held_out`.
        cut: The last day that the model knows.
        horizon_days: How many days are estimated.
    """
    if held_out.empty or held_out["age_days"].max() < horizon_days:
        return HoldoutTest(reason=f"no purchase is older than two periods of {horizon_days} days")
    known = Histories.of(held_out)
    try:
        model = ValueModel.fit(known, until=cut)
    except TooLittleDataError as error:
        return HoldoutTest(reason=str(error))
    purchases = model.purchases.expected(known, horizon_days)
    value = purchases * model.spending.expected_average(known.repeats, known.repeat_value)
    return HoldoutTest(
        customers=known.customers,
        purchases=_errors(purchases, held_out["purchases"], held_out["last_purchases"]),
        value=_errors(value, held_out["value"], held_out["last_value"]),
    )


def _errors(estimate: Numbers, came: "pd.Series[float]", had_come: "pd.Series[float]") -> Errors:
    actual, last = (column.to_numpy(dtype=np.float64) for column in (came, had_come))
    return Errors(_root_mean_square(estimate - actual), _root_mean_square(last - actual))


def _root_mean_square(errors: Numbers) -> float:
    return float(np.sqrt(np.mean(errors**2)))
