"""How often customers buy: BG/NBD of Fader, Hardie and Lee (2005).

While a customer is alive, purchases come at a rate of the customer's own; the rates are spread over customers as a
gamma distribution (r, alpha). After each purchase the customer is gone for good with a probability of the customer's
own, spread as a beta distribution (a, b).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, hyp2f1

from spark_jobs.value.fitting import Numbers, fit
from spark_jobs.value.histories import Histories

_NOT_ONE = 1e-6


@dataclass(frozen=True)
class PurchaseModel:
    """The four parameters; `alpha` is in the histories' unit of time."""

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit(cls, known: Histories) -> "PurchaseModel":
        # Divided by the longest age: the optimiser's steps suit numbers of about 1.
        unit = float(known.age.max())
        scaled = Histories(known.repeats, known.last_repeat / unit, known.age / unit, known.repeat_value)
        r, alpha, a, b = fit(lambda parameters: _log_likelihood(scaled, *parameters), "r alpha a b")
        return cls(r, alpha * unit, a, b)

    def p_alive(self, known: Histories) -> Numbers:
        """The probability that a customer will ever buy again."""
        return 1 / (1 + self._odds_of_being_gone(known))

    def expected(self, known: Histories, horizon: float) -> Numbers:
        """Expected purchases of each customer within the `horizon` that follows."""
        return self.p_alive(known) * self.expected_if_alive(known.repeats, known.age, horizon)

    def expected_if_alive(self, repeats: Numbers, age: Numbers, horizon: float) -> Numbers:
        """The same for a customer who is surely alive: it depends on two numbers alone.

        The paper's formula after Euler's transformation, in which no term grows with the number of purchases.
        """
        a = self.a if abs(self.a - 1) > _NOT_ONE else 1 + _NOT_ONE
        share = horizon / (self.alpha + age + horizon)
        c = a + self.b + repeats - 1
        gone_by_then: Numbers = (1 - share) ** (a - 1) * hyp2f1(a - 1, c - self.r - repeats, c, share)
        expected: Numbers = c / (a - 1) * (1 - gone_by_then)
        return expected

    def _odds_of_being_gone(self, known: Histories) -> Numbers:
        again = np.maximum(known.repeats, 1)
        with np.errstate(over="ignore"):
            grown = ((self.alpha + known.age) / (self.alpha + known.last_repeat)) ** (self.r + known.repeats)
        odds: Numbers = np.where(known.repeats > 0, self.a / (self.b + again - 1) * grown, 0.0)
        return odds


def _log_likelihood(known: Histories, r: float, alpha: float, a: float, b: float) -> float:
    x, again = known.repeats, np.maximum(known.repeats, 1)
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    common += gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    alive = -(r + x) * np.log(alpha + known.age)
    gone = np.log(a) - np.log(b + again - 1) - (r + x) * np.log(alpha + known.last_repeat)
    return float(np.mean(common + np.where(x > 0, np.logaddexp(alive, gone), alive)))
