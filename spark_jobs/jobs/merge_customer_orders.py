"""Merges customers with their orders: `silver.customers`, `orders`, `order_lines` -> `gold.customer_orders`."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession

from spark_jobs.entry import Result, run_job
from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMER_ORDERS, CUSTOMERS, ORDER_LINE_ITEMS, ORDERS
from spark_jobs.transforms.customer_orders import customer_orders


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    catalog: str = ""


def run(spark: SparkSession, config: Config) -> Result:
    """Replaces the whole table in one commit, so that no customer who has left stays behind."""
    lake = Lake(config.lake_root, config.catalog)
    customers, orders, lines = (lake.read(spark, table) for table in (CUSTOMERS, ORDERS, ORDER_LINE_ITEMS))
    lake.replace(spark, CUSTOMER_ORDERS, customer_orders(customers, orders, lines))
    return {"rows": lake.read(spark, CUSTOMER_ORDERS).count()}


def main(argv: Sequence[str] | None = None) -> None:
    run_job("merge_customer_orders", Config, run, argv)


if __name__ == "__main__":
    main()
