"""Both models together, fitted on a sample of customers and applied to all of them in Spark."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.value.fitting import require_returning
from spark_jobs.value.histories import Histories
from spark_jobs.value.purchases import PurchaseModel
from spark_jobs.value.spending import SpendingModel


@dataclass(frozen=True)
class ValueModel:
    purchases: PurchaseModel
    spending: SpendingModel

    @classmethod
    def fit(cls, known: Histories, until: dt.date) -> "ValueModel":
        """Fits both.

        Raises:
            TooLittleDataError: There are too few customers who bought again, or they are too much alike.
        """
        require_returning(known.returning.customers, until)
        return cls(PurchaseModel.fit(known), SpendingModel.fit(known))


def estimated(histories: DataFrame, model: ValueModel, *, snapshot_date: dt.date, horizon_days: int) -> DataFrame:
    """Estimates for every customer.

    What a customer who is alive will buy needs a function that Spark doesn't have, but depends on two whole numbers
    alone. So it is computed once for each pair of them that occurs, and joined.

    Args:
        histories: As `transforms.purchases.histories` gives them.
        model: The fitted models.
        snapshot_date: The last day that is known.
        horizon_days: How many days are estimated.

    Returns:
        The columns of `gold.customer_value`.
    """
    average = _expected_average(model.spending)
    estimates = histories.join(F.broadcast(_expected_if_alive(histories, model, horizon_days)), ["repeats", "age_days"])
    return estimates.withColumns({"p_alive": _p_alive(model.purchases), "average_purchase": average}).select(
        F.lit(snapshot_date).alias("snapshot_date"),
        "customer_id",
        F.lit(horizon_days).alias("horizon_days"),
        "p_alive",
        (F.col("p_alive") * F.col("if_alive")).alias("expected_purchases"),
        F.col("average_purchase").cast("decimal(18,2)"),
        (F.col("p_alive") * F.col("if_alive") * F.col("average_purchase"))
        .cast("decimal(18,2)")
        .alias("expected_value"),
    )


def _expected_if_alive(histories: DataFrame, model: ValueModel, horizon_days: int) -> DataFrame:
    pairs = histories.select("repeats", "age_days").distinct().toPandas()
    repeats, age = (pairs[name].to_numpy(dtype=np.float64) for name in ("repeats", "age_days"))
    pairs["if_alive"] = model.purchases.expected_if_alive(repeats, age, horizon_days)
    return histories.sparkSession.createDataFrame(pairs, schema="repeats bigint, age_days int, if_alive double")


def _p_alive(model: PurchaseModel) -> Column:
    """`PurchaseModel.p_alive` in Spark."""
    grown = (model.alpha + F.col("age_days")) / (model.alpha + F.col("last_repeat_days"))
    odds = model.a / (model.b + F.col("repeats") - 1) * F.pow(grown, model.r + F.col("repeats"))
    return F.when(F.col("repeats") > 0, 1 / (1 + odds)).otherwise(F.lit(1.0))


def _expected_average(model: SpendingModel) -> Column:
    """`SpendingModel.expected_average` in Spark."""
    spent = model.v + F.col("repeats") * F.col("repeat_value")
    return model.p * spent / (model.p * F.col("repeats") + model.q - 1)
