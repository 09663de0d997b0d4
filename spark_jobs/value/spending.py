"""How much customers spend when they buy: Gamma-Gamma of Fader and Hardie (2013).

The worth of a customer's purchases is spread as a gamma distribution (p, nu) whose scale nu is the customer's own,
spread over customers as a gamma distribution (q, v).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from spark_jobs.errors import TooLittleDataError
from spark_jobs.value.fitting import Numbers, fit
from spark_jobs.value.histories import Histories


@dataclass(frozen=True)
class SpendingModel:
    """The three parameters; `v` is in money."""

    p: float
    q: float
    v: float

    @classmethod
    def fit(cls, known: Histories) -> "SpendingModel":
        """From the repeat purchases of those who made any.

        Raises:
            TooLittleDataError: They don't tell what a customer without any would spend.
        """
        returning = known.returning
        unit = float(returning.repeat_value.mean())
        scaled = returning.repeat_value / unit
        p, q, v = fit(lambda parameters: _log_likelihood(returning.repeats, scaled, *parameters), "p q v")
        if q <= 1:
            raise TooLittleDataError(
                f"purchases whose worth has a mean over customers are required, that is a q above 1, found {q:.3f}: "
                f"wait for more customers who buy again"
            )
        return cls(p, q, v * unit)

    def expected_average(self, repeats: Numbers, repeat_value: Numbers) -> Numbers:
        """What a customer's purchases will be worth on average; all customers' mean where nothing is known."""
        return self.p * (self.v + repeats * repeat_value) / (self.p * repeats + self.q - 1)


def _log_likelihood(x: Numbers, mean: Numbers, p: float, q: float, v: float) -> float:
    density = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
    density += (p * x - 1) * np.log(mean) + p * x * np.log(x) - (p * x + q) * np.log(x * mean + v)
    return float(np.mean(density))
