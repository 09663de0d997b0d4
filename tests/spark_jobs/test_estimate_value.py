import datetime as dt

import numpy as np
import pytest
from pyspark.sql import SparkSession

from spark_jobs.errors import ArgumentError
from spark_jobs.jobs.estimate_value import Config, run
from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMER_VALUE, CUSTOMERS, ORDERS, VALUE_MODELS
from spark_jobs.value.histories import Histories
from spark_jobs.value.model import ValueModel
from tests.spark_jobs.bookstore import Row, customers, order, orders, store
from tests.spark_jobs.value import cdnow

D = dt.date(2026, 1, 31)


def test_every_customer_has_an_estimate_and_the_test_says_how_good_they_are(spark: SparkSession, lake: Lake) -> None:
    history = cdnow.orders()
    store(lake, CUSTOMERS, customers(spark, *{row["customer_id"] for row in history}))
    store(lake, ORDERS, orders(spark, history))

    result = run(spark, Config(lake.root, cdnow.LAST_DAY))

    verdict = result["verdict"]
    assert (result["snapshot_date"], result["customers"]) == (cdnow.LAST_DAY, 2_349)
    model = lake.read(spark, VALUE_MODELS).collect()[0]
    # Eight purchases that cost nothing are not counted: hence not quite the published parameters.
    assert [model.r, model.alpha / 7, model.a, model.b] == pytest.approx([0.2426, 4.4135, 0.7929, 2.4258], rel=0.02)
    assert [model.p, model.q, model.v] == pytest.approx([6.249, 3.745, 15.448], rel=0.02)
    assert (model.is_better, model.verdict) == (True, verdict)
    assert model.purchases_error < model.purchases_error_of_last_period
    assert model.value_error < model.value_error_of_last_period
    assert verdict.startswith("better than the same as in the last period: error per customer in purchases 0.")

    actual = lake.read(spark, CUSTOMER_VALUE).orderBy("customer_id").toPandas()
    assert actual["customer_id"].is_unique
    assert set(actual["snapshot_date"]) == {cdnow.LAST_DAY}
    first = actual.iloc[0]
    known = Histories(*(np.array([number]) for number in (2.0, 213.0, 272.0, 22.345)))
    fitted = ValueModel.fit(cdnow_in_days(), until=cdnow.LAST_DAY)
    assert first["p_alive"] == pytest.approx(fitted.purchases.p_alive(known)[0], rel=0.01)
    assert first["expected_purchases"] == pytest.approx(fitted.purchases.expected(known, 90.0)[0], rel=0.01)
    average = fitted.spending.expected_average(known.repeats, known.repeat_value)[0]
    assert float(first["average_purchase"]) == pytest.approx(average, rel=0.01)
    expected_value = first["expected_purchases"] * float(first["average_purchase"])
    assert float(first["expected_value"]) == pytest.approx(expected_value, abs=0.01)

    once = lake.read(spark, CUSTOMER_VALUE)
    run(spark, Config(lake.root, cdnow.LAST_DAY))
    assert once.exceptAll(lake.read(spark, CUSTOMER_VALUE)).count() == 0


def cdnow_in_days() -> Histories:
    weeks = cdnow.histories()
    return Histories(weeks.repeats, 7 * weeks.last_repeat, 7 * weeks.age, weeks.repeat_value)


def test_too_little_data_leaves_no_partition_and_a_reason(spark: SparkSession, lake: Lake) -> None:
    assert run(spark, Config(lake.root, D))["skipped"].startswith("silver.customers is required")

    store(lake, CUSTOMERS, customers(spark, *range(99)))
    store(lake, ORDERS, orders(spark, twice(range(99))))
    result = run(spark, Config(lake.root, D))

    reason = (
        "100 customers who bought on two days or more up to 2026-01-31 are required to estimate values, found 99: "
        "wait for more of them"
    )
    assert result == {"snapshot_date": D, "rows": 0, "skipped": reason}
    assert not lake.exists(spark, CUSTOMER_VALUE)


def twice(customer_ids: range) -> list[Row]:
    """Two orders of each customer."""
    return [
        order(
            f"O-{number}-{customer}", customer, f"2026-01-{10 * number + 10 + customer % 9}T12:00:00", f"{customer + 5}"
        )
        for customer in customer_ids
        for number in (0, 1)
    ]


def test_a_horizon_of_no_days_is_refused() -> None:
    with pytest.raises(ArgumentError, match="--horizon_days must be at least 1, found 0"):
        Config("file:/nowhere", D, horizon_days=0)
