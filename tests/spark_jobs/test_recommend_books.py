import datetime as dt

import pytest
from pyspark.sql import SparkSession

from spark_jobs.errors import MissingPartitionError
from spark_jobs.jobs.recommend_books import Config, run
from spark_jobs.lake import Lake
from spark_jobs.tables import BOOKS_HISTORY, CUSTOMERS, ORDER_LINE_ITEMS, ORDERS, RECOMMENDATIONS, RFM
from tests.spark_jobs.bookstore import Row, customers, frame, order, order_lines, orders, rfm_row, store

D = dt.date(2026, 1, 31)
DAY = dt.timedelta(days=1)
BOOKS = (10, 11, 12, 13)


def line(order_row: Row, book_id: int, returned: int = 0) -> Row:
    shared = {name: order_row[name] for name in ("order_id", "customer_id", "ordered_at")}
    return {**shared, "line_no": book_id, "book_id": book_id, "quantity": 1, "returned_quantity": returned}


def test_a_partition_offers_each_customer_what_they_do_not_have(spark: SparkSession, lake: Lake) -> None:
    history = [
        order("O-1", 1, "2026-01-30T10:00:00", "5.00"),
        order("O-2", 2, "2026-01-30T10:00:00", "5.00"),
        order("O-3", 3, "2026-01-30T10:00:00", "5.00", status="cancelled"),
        order("O-4", 1, "2026-02-01T00:00:00", "5.00"),  # after the date
    ]
    lines = [line(history[0], 10), line(history[0], 13, returned=1), line(history[1], 10), line(history[1], 11)]
    lines += [line(history[2], 12), line(history[3], 12)]
    store(lake, CUSTOMERS, customers(spark, 1, 2, 3))
    store(lake, ORDERS, orders(spark, history))
    store(lake, ORDER_LINE_ITEMS, order_lines(spark, lines))
    store(lake, RFM, frame(spark, RFM, [rfm_row(day, 1, 1, 1, "5.00") for day in (D - DAY, D)]))
    with pytest.raises(MissingPartitionError, match="run aggregate_rfm --snapshot_date=2026-02-01 first"):
        run(spark, Config(lake.root, D + DAY))
    assert run(spark, Config(lake.root, D))["skipped"].startswith("silver.books_history is required")

    listed = [{"book_id": book, "__START_AT": {"ts_ms": 0, "lsn": 0}} for book in BOOKS]
    store(lake, BOOKS_HISTORY, frame(spark, BOOKS_HISTORY, listed))
    for day in (D, D - DAY):
        assert run(spark, Config(lake.root, day))["snapshot_date"] == day

    rows = (
        lake.read(spark, RECOMMENDATIONS).where(f"snapshot_date = DATE'{D}'").orderBy("customer_id", "rank").collect()
    )
    assert [(row.customer_id, row.rank, row.book_id, row.source, row.rfm_segment) for row in rows] == [
        (1, 1, 11, "bought together", "Champions"),  # 13 came back, but 1 has had it
        (1, 2, 12, "popular now", "Champions"),
        (2, 1, 12, "popular now", None),
        (2, 2, 13, "popular now", None),
        (3, 1, 10, "popular now", None),
        (3, 2, 11, "popular now", None),
        (3, 3, 12, "popular now", None),
        (3, 4, 13, "popular now", None),
    ]
    assert {row.snapshot_date for row in lake.read(spark, RECOMMENDATIONS).collect()} == {D - DAY, D}
