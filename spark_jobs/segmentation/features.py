"""What the clusters are made from: three numbers per customer, and the scale on which they are compared."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

FEATURES = ("recency_days", "frequency", "monetary")
"""Columns of `gold.rfm`: days since the last order, number of orders, money spent."""

Values = NDArray[np.float64]
"""One row per customer or centre, one column per feature."""

_DECIMALS = 9
"""Kept of every fitted number, so that a last bit that differs between processors doesn't make another model."""


@dataclass(frozen=True)
class Scaling:
    """The scale on which customers are compared: log(1 + x), then in standard deviations from the mean.

    All three features are skewed: a few customers buy a hundred times as much as most. On a log scale twice as much is
    equally far at every size, and no handful of customers pulls a cluster to itself. Fitted once per model, and applied
    by the same object in training, in scoring and in the report.

    Attributes:
        means: Mean of each feature's log.
        deviations: Standard deviation of each feature's log; 1 where all customers are equal.
    """

    means: tuple[float, ...]
    deviations: tuple[float, ...]

    @classmethod
    def fit(cls, values: Values) -> "Scaling":
        logs = np.log1p(values)
        deviations = rounded(logs.std(axis=0))
        return cls(rounded(logs.mean(axis=0)), tuple(deviation or 1.0 for deviation in deviations))

    def apply(self, values: Values) -> Values:
        scaled: Values = (np.log1p(values) - np.array(self.means)) / np.array(self.deviations)
        return scaled

    def undo(self, points: Values) -> Values:
        """Points of the scale in the features' own units: days, orders, money."""
        values: Values = np.expm1(points * np.array(self.deviations) + np.array(self.means))
        return values

    def columns(self) -> list[Column]:
        """`apply` for Spark: one column per feature."""
        return [
            (F.log1p(F.col(feature).cast("double")) - mean) / deviation
            for feature, mean, deviation in zip(FEATURES, self.means, self.deviations, strict=True)
        ]


def rounded(numbers: Values) -> tuple[float, ...]:
    return tuple(round(float(number), _DECIMALS) for number in numbers)


ON_ONE_NODE = 5_000_000
"""The most customers whose features are taken to the driver: a few hundred megabytes."""

SAMPLE = 1_000_000
"""About so many stand for all where there are more: a centre is then known to a thousandth or two of its cluster's
width."""


def sampled(rfm: DataFrame, customers: int) -> DataFrame:
    """An RFM partition's customers, or those of its `SAMPLE` where they are too many for one node.

    Who is in it depends on the customer's id alone, not on how rows are stored.
    """
    if customers <= ON_ONE_NODE:
        return rfm
    return rfm.where(F.pmod(F.xxhash64("customer_id"), F.lit(customers)) < SAMPLE)


def read_features(rfm: DataFrame) -> Values:
    """The features of an RFM partition in customer order, so that sums come out the same however rows are stored."""
    columns: list[Column | str] = [
        "customer_id",
        *[F.col(feature).cast("double").alias(feature) for feature in FEATURES],
    ]
    customers = rfm.select(columns).toPandas().sort_values("customer_id")
    return customers[list(FEATURES)].to_numpy(dtype=np.float64)
