import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from pyspark.sql import SparkSession

from spark_jobs.errors import ArgumentError
from spark_jobs.jobs.aggregate_rfm import Config, main, run
from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMERS, ORDERS, RFM
from tests.spark_jobs.bookstore import customers, order, orders, random_orders, store
from tests.spark_jobs.plain_rfm import plain_rfm

D = dt.date(2026, 1, 31)
DAY = dt.timedelta(days=1)


def rows(spark: SparkSession, lake: Lake) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in lake.read(spark, RFM).collect())


def test_partitions_in_any_order_twice_and_at_once_are_what_the_definition_gives(
    spark: SparkSession, lake: Lake
) -> None:
    history = random_orders(5, count=300, customer_ids=30, days=90, until=D)
    store(lake, CUSTOMERS, customers(spark, *range(25)))
    store(lake, ORDERS, orders(spark, history))

    run(spark, Config(lake.root, D, lookback_days=30))
    with ThreadPoolExecutor(3) as pool:
        days = [D - DAY, D - 40 * DAY, D]
        results = list(pool.map(lambda day: run(spark, Config(lake.root, day, lookback_days=60)), days))

    expected = {day: plain_rfm(range(25), history, day, 60) for day in days}
    assert rows(spark, lake) == sorted(row for partition in expected.values() for row in partition)
    assert results == [{"snapshot_date": day, "rows": len(expected[day])} for day in days]


def test_an_empty_result_leaves_an_empty_partition_and_the_others_alone(spark: SparkSession, lake: Lake) -> None:
    store(lake, CUSTOMERS, customers(spark, 1))
    store(lake, ORDERS, orders(spark, [order("O-1", 1, "2026-01-30T10:00:00", "5.00")]))
    run(spark, Config(lake.root, D - DAY))
    run(spark, Config(lake.root, D))

    result = run(spark, Config(lake.root, D, lookback_days=1))

    reason = "the partition 2026-01-31 is empty: no order counts in the 1 days up to it"
    assert result == {"snapshot_date": D, "rows": 0, "skipped": reason}
    assert rows(spark, lake) == [
        (D - DAY, 1, 365, 0, 1, Decimal("5.00"), 1, 1, 1, "111", "Hibernating"),
    ]


@pytest.mark.full
def test_the_result_is_the_last_line(spark: SparkSession, lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    store(lake, CUSTOMERS, customers(spark, 1))
    store(lake, ORDERS, orders(spark, [order("O-1", 1, "2026-01-30T10:00:00", "5.00")]))

    main([f"--lake_root={lake.root}", "--snapshot_date=2026-01-31", "--lookback_days=0", "--catalog="])

    word, result = capsys.readouterr().out.splitlines()[-1].split(" ", 1)
    assert (word, json.loads(result)) == ("RESULT", {"step": "aggregate_rfm", "snapshot_date": "2026-01-31", "rows": 1})


def test_wrong_arguments_end_in_one_sentence() -> None:
    with pytest.raises(ArgumentError, match=r"--snapshot_date is required"):
        main(["--lake_root=file:/nowhere"])
    with pytest.raises(ArgumentError, match=r"--lookback_days must be a number of days, or 0 .* found -1"):
        main(["--lake_root=file:/nowhere", "--snapshot_date=2026-01-31", "--lookback_days=-1"])


def test_is_skipped_while_there_is_nothing_to_read(spark: SparkSession, lake: Lake) -> None:
    result = run(spark, Config(lake.root, D))

    assert (result["rows"], result["skipped"][:29]) == (0, "silver.customers is required ")
    assert not lake.exists(spark, RFM)
