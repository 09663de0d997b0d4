import pytest
from pyspark.sql import SparkSession

from spark_jobs.errors import MissingTableError
from spark_jobs.jobs.merge_customer_orders import Config, run
from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMER_ORDERS, CUSTOMERS, ORDER_LINE_ITEMS, ORDERS
from tests.spark_jobs.bookstore import customers, order, order_lines, orders, store


def test_a_refresh_replaces_the_table_so_that_a_deleted_customer_is_gone(spark: SparkSession, lake: Lake) -> None:
    history = [order("O-1", 1, "2026-01-01T00:00:00", "5.00"), order("O-2", 2, "2026-01-02T00:00:00", "7.00")]
    store(lake, CUSTOMERS, customers(spark, 1, 2))
    store(lake, ORDERS, orders(spark, history))
    store(lake, ORDER_LINE_ITEMS, order_lines(spark, []))
    assert run(spark, Config(lake.root)) == {"rows": 2}

    store(lake, CUSTOMERS, customers(spark, 2))
    assert run(spark, Config(lake.root)) == {"rows": 1}

    rows = spark.table("gold.customer_orders").select("customer_id", "orders").collect()
    assert [tuple(row) for row in rows] == [(2, 1)]
    history_df = spark.sql(f"DESCRIBE HISTORY delta.`{lake.path(CUSTOMER_ORDERS)}`")
    assert history_df.count() == 3  # created, and one commit per refresh


def test_it_says_which_table_is_missing(spark: SparkSession, lake: Lake) -> None:
    with pytest.raises(MissingTableError, match=r"silver\.customers is required"):
        run(spark, Config(lake.root))
