"""What the models know of each customer, as columns of numbers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.value.fitting import Numbers

SAMPLE_SIZE = 50_000
"""Customers that models are fitted on: the parameters of more would differ in the third digit."""

_SEED = 42


@dataclass(frozen=True)
class Histories:
    """One number per customer in each.

    Attributes:
        repeats: Days with a purchase after the first one (x).
        last_repeat: Days from the first to the last purchase (t_x).
        age: Days from the first purchase to the end (T).
        repeat_value: Mean worth of the repeat days; 0 without any.
    """

    repeats: Numbers
    last_repeat: Numbers
    age: Numbers
    repeat_value: Numbers

    @property
    def customers(self) -> int:
        return len(self.repeats)

    @property
    def returning(self) -> "Histories":
        """Those who bought again."""
        again = self.repeats > 0
        return Histories(self.repeats[again], self.last_repeat[again], self.age[again], self.repeat_value[again])

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "Histories":
        """From the columns of `transforms.purchases.histories`."""
        columns = ("repeats", "last_repeat_days", "age_days", "repeat_value")
        return cls(*[rows[column].to_numpy(dtype=np.float64) for column in columns])


def sample(customers: DataFrame) -> pd.DataFrame:
    """Up to `SAMPLE_SIZE` customers, the same ones in the same order however they are stored: a hash decides."""
    drawn = customers.orderBy(F.xxhash64("customer_id", F.lit(_SEED)), "customer_id").limit(SAMPLE_SIZE)
    return drawn.toPandas().sort_values("customer_id", ignore_index=True)
