"""Change events of customers to the latest row of each."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from spark_jobs.errors import MissingTableError
from spark_jobs.jobs import merge_customers
from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMER_ROW, CUSTOMERS, CUSTOMERS_CHANGES, types
from tests.spark_jobs.lakehouse import append
from tests.spark_jobs.lakehouse import customer_change as change


def run(spark: SparkSession, lake: Lake) -> dict[str, Any]:
    return merge_customers.run(spark, merge_customers.Config(lake.root))


def cities(spark: SparkSession, lake: Lake) -> dict[int, str]:
    return {row.customer_id: row.city for row in lake.read(spark, CUSTOMERS).collect()}


def test_the_latest_event_wins_and_what_is_gone_stays_away(spark: SparkSession, lake: Lake) -> None:
    tombstone = {"customer_id": 2}
    append(
        spark,
        lake,
        CUSTOMERS_CHANGES,
        change("c", 1, "Rome", 10),
        change("u", 1, "Oslo", 30),
        change("u", 1, "Bern", 20),
        change("c", 2, "Rome", 10),
        change("d", 2, "Rome", 20),
        tombstone,
        change("r", 3, "Kyiv", 10),
        change("c", 4, "Riga", 5),
        change("t", None, None, 8),
    )
    assert run(spark, lake) == {"rows": 2}
    assert cities(spark, lake) == {1: "Oslo", 3: "Kyiv"}

    late = [change("u", 2, "Late", 15), change("c", 5, "Late", 7)]
    append(spark, lake, CUSTOMERS_CHANGES, *late, change("u", 3, "Lviv", 20))
    assert run(spark, lake) == {"rows": 2}
    assert cities(spark, lake) == {1: "Oslo", 3: "Lviv"}
    assert dict(lake.read(spark, CUSTOMERS).dtypes) == types(CUSTOMER_ROW)


def test_without_bronze_the_error_says_what_is_missing(spark: SparkSession, lake: Lake) -> None:
    with pytest.raises(MissingTableError, match=r"bronze\.customers_changes is required at file:.*does not exist yet"):
        run(spark, lake)
