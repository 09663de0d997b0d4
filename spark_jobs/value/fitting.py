"""Maximum likelihood for a few positive parameters."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from spark_jobs.errors import TooLittleDataError

Numbers = NDArray[np.float64]

FEWEST_RETURNING = 100
"""Customers who bought again: with fewer, the parameters say more about these customers than about the others."""

# Parameters from a thousandth to a thousand. Who never leaves, or all buy alike, would need 0 or infinity; at the bound
# they are near enough to that, and the formulas still exact.
_LARGEST_LOG = 7.0
_DECIMALS = 9
# Finer than this, rounding hides which way is up, and a search that had arrived would end as one that failed.
_PRECISION = {"ftol": 1e-10, "gtol": 1e-7, "maxiter": 2_000}


def fit(log_likelihood: Callable[[Numbers], float], names: str) -> list[float]:
    """The positive parameters with the greatest likelihood, from the same start each time.

    Args:
        log_likelihood: Mean over the customers; the data is scaled to about 1, so the parameters are not far from it.
        names: The parameters, for a message.

    Raises:
        TooLittleDataError: No best parameters were found.
    """
    start = np.zeros(len(names.split()))
    bounds = [(-_LARGEST_LOG, _LARGEST_LOG)] * len(start)
    # By their logs: parameters stay positive, and a step means the same at every size.
    found = minimize(
        lambda logs: -log_likelihood(np.exp(logs)), start, method="L-BFGS-B", bounds=bounds, options=_PRECISION
    )
    if not found.success:
        raise TooLittleDataError(
            f"purchases of customers that differ are required to estimate {names}, and these have no best estimate: "
            f"wait for more of them"
        )
    return [round(float(number), _DECIMALS) for number in np.exp(found.x)]


def require_returning(customers: int, until: object) -> None:
    """Refuses to fit with too few customers who bought again.

    Raises:
        TooLittleDataError: There are too few.
    """
    if customers < FEWEST_RETURNING:
        raise TooLittleDataError(
            f"{FEWEST_RETURNING} customers who bought on two days or more up to {until} are required to estimate "
            f"values, found {customers}: wait for more of them"
        )
