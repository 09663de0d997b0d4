"""Days whose events come late and twice, through all of silver, and the same days in order."""

import datetime as dt

import numpy as np
import pytest
from pyspark.sql import SparkSession

from localcloud.bookstore.delivery import Delivery, deliver
from localcloud.bookstore.plan import Disorder, Plan
from localcloud.bookstore.shop import shop_of
from spark_jobs.jobs import merge_customers, merge_orders, upsert_books
from spark_jobs.lake import Lake
from spark_jobs.tables import BOOKS_HISTORY, CUSTOMERS, ORDER_LINE_ITEMS, ORDERS
from tests.broker import Broker
from tests.spark_jobs.ingesting import run
from tests.spark_jobs.lakehouse import forget_names

DAY = dt.date(2026, 1, 31)
UNTIDY = Disorder(late=0.02, duplicates=0.02)
SILVER = (CUSTOMERS, BOOKS_HISTORY, ORDERS, ORDER_LINE_ITEMS)
Rows = dict[str, list[str]]


def played(spark: SparkSession, lake: Lake, broker: Broker, deliveries: list[Delivery], parts: int) -> Rows:
    """Silver after the events have come in so many parts, with a refresh after each."""
    broker.empty()
    forget_names(spark)
    for part in range(parts):
        for delivery in deliveries:
            places = np.array_split(np.arange(len(delivery)), parts)[part]
            broker.produce(delivery.stream.topic, delivery.messages(places))
        run(spark, lake, broker)
        for step in (merge_customers, upsert_books, merge_orders):
            step.run(spark, step.Config(lake.root))
    return {table.name: sorted(map(str, lake.read(spark, table).collect())) for table in SILVER}


@pytest.mark.full
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize(("orders", "days"), [(600, 1), (20_000, 90)])
def test_days_that_come_untidily_end_as_the_same_days_in_order(
    spark: SparkSession, lake: Lake, broker: Broker, orders: int, days: int
) -> None:
    start = DAY - dt.timedelta(days=days - 1)
    streams = shop_of(Plan(orders // 4, orders // 4, orders, start, DAY, seed=3)).streams
    tidy, untidy = ([deliver(stream, disorder) for stream in streams] for disorder in (Disorder(), UNTIDY))
    late = sum(delivery.late for delivery in untidy)
    assert late >= orders / 25  # of all events, those that have a later one
    in_order = played(spark, Lake(f"{lake.root}/in_order"), broker, tidy, 1)
    assert all(in_order.values())
    assert played(spark, Lake(f"{lake.root}/untidy"), broker, untidy, 2) == in_order
