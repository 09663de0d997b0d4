import datetime as dt

import numpy as np
from pyspark.sql import SparkSession

from spark_jobs.transforms.purchases import held_out, histories, purchase_days
from spark_jobs.transforms.rfm import counted_orders
from tests.spark_jobs.bookstore import customers, order, orders
from tests.spark_jobs.value import cdnow

D = dt.date(2026, 1, 31)


def test_cdnows_customers_are_those_of_the_published_summary(spark: SparkSession) -> None:
    """Where the definitions meet: a purchase that cost nothing counts there, and not here."""
    history = cdnow.orders()
    free = {row["customer_id"] for row in history if not row["net_amount"]}
    everybody = customers(spark, *{row["customer_id"] for row in history})
    counted = counted_orders(everybody, orders(spark, history), snapshot_date=cdnow.LAST_DAY, lookback_days=0)

    actual = histories(purchase_days(counted), cdnow.LAST_DAY).toPandas().set_index("customer_id").sort_index()

    expected = cdnow.summary().set_index("ID")
    assert len(free) == 8
    assert len(actual) == len(expected) - 8  # nor did they ever pay for anything by then
    expected = expected.drop(index=list(free))
    assert actual.index.tolist() == expected.index.tolist()
    assert actual["repeats"].tolist() == expected["x"].tolist()
    weeks = actual[["last_repeat_days", "age_days"]] / cdnow.DAYS_PER_WEEK
    np.testing.assert_allclose(weeks, expected[["t_x", "T"]], atol=0.005001)
    np.testing.assert_allclose(actual["repeat_value"], expected["zbar"], atol=0.005001)


def test_two_orders_of_a_day_are_one_purchase_and_the_first_day_tells_no_worth(spark: SparkSession) -> None:
    counted = orders(
        spark,
        [
            order("O-1", 1, "2026-01-01T00:00:00", "5.00"),
            order("O-2", 1, "2026-01-11T08:00:00", "10.00"),
            order("O-3", 1, "2026-01-11T23:59:59", "20.50"),
            order("O-4", 1, "2026-01-21T12:00:00", "9.50"),
            order("O-5", 2, "2026-01-30T12:00:00", "7.00"),
        ],
    )

    rows = histories(purchase_days(counted), D).orderBy("customer_id").collect()

    assert [tuple(row) for row in rows] == [(1, 2, 20, 30, 20.0), (2, 0, 0, 1, 0.0)]


def test_what_is_held_out_is_not_known(spark: SparkSession) -> None:
    counted = orders(
        spark,
        [
            order("O-1", 1, "2026-01-01T12:00:00", "5.00"),  # before both periods
            order("O-2", 1, "2026-01-12T12:00:00", "6.00"),  # the last period's first day, and its last
            order("O-3", 1, "2026-01-21T12:00:00", "8.00"),
            order("O-4", 1, "2026-01-22T00:00:00", "1.00"),  # the held-out period's first day, and its last
            order("O-5", 1, "2026-01-31T23:00:00", "2.50"),
            order("O-6", 2, "2026-01-25T12:00:00", "9.00"),  # nobody knew this customer yet
        ],
    )

    rows = held_out(purchase_days(counted), D, horizon_days=10).collect()

    assert [tuple(row) for row in rows] == [(1, 2, 20, 20, 7.0, 2, 3.5, 2, 14.0)]
