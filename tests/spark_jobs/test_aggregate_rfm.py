import datetime as dt
import json
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.errors import ArgumentError
from spark_jobs.jobs.aggregate_rfm import Config, main, run
from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMERS, ORDERS, RFM, RFM_SCHEMES, RFM_THRESHOLDS
from tests.spark_jobs.bookstore import customers, frame, order, orders, random_orders, store
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
    assert thresholds(spark, lake) == sorted(row for day in days for row in plain_thresholds(expected[day]))


SCHEME = {
    "name": "reach",
    "recency_days": [14, 60],
    "frequency": [2],
    "monetary": 3,
    "segments": {"Near": ["R2-3 F1-2"], "Far": ["R1 F1-2"]},
}


@pytest.mark.full
def test_a_scheme_of_the_shops_own_stands_beside_and_replaces_itself_alone(spark: SparkSession, lake: Lake) -> None:
    history = [
        order("O-1", 1, "2026-01-30T10:00:00", "5.00"),
        order("O-2", 2, "2026-01-17T10:00:00", "20.00"),
        order("O-3", 2, "2026-01-16T10:00:00", "20.00"),
        order("O-4", 3, "2025-10-01T10:00:00", "5.00"),
    ]
    store(lake, CUSTOMERS, customers(spark, 1, 2, 3))
    store(lake, ORDERS, orders(spark, history))
    earlier = frame(spark, RFM_SCHEMES, [{"scheme": "reach", "snapshot_date": D - DAY, "customer_id": 9}])
    store(lake, RFM_SCHEMES, earlier.union(earlier.withColumn("scheme", F.lit("other"))))

    run(spark, Config(lake.root, D, scheme=json.dumps(SCHEME | {"recency_days": [15, 60]})))
    result = run(spark, Config(lake.root, D, scheme=json.dumps(SCHEME)))

    assert result == {"snapshot_date": D, "rows": 3}
    assert rows(spark, lake) == plain_rfm(range(4), history, D, 365)
    assert sorted(map(tuple, lake.read(spark, RFM_SCHEMES).collect()), key=str) == [
        ("other", D - DAY, 9, None, None, None, None, None),
        ("reach", D - DAY, 9, None, None, None, None, None),
        ("reach", D, 1, 3, 1, 1, "311", "Near"),
        ("reach", D, 2, 3, 2, 3, "323", "Near"),
        ("reach", D, 3, 1, 1, 1, "111", "Far"),
    ]
    assert [row[2:] for row in thresholds(spark, lake) if row[0] == "reach"] == [
        ("frequency", 1, None, 1, 2),
        ("frequency", 2, 2, 2, 1),
        ("monetary", 1, 5, 5, 2),
        ("monetary", 2, None, None, 0),
        ("monetary", 3, 40, 40, 1),
        ("recency_days", 1, None, 122, 1),
        ("recency_days", 2, 60, None, 0),
        ("recency_days", 3, 14, 1, 2),
    ]
    assert len(thresholds(spark, lake)) == 8 + 15


def thresholds(spark: SparkSession, lake: Lake) -> list[tuple[Any, ...]]:
    return sorted(map(tuple, lake.read(spark, RFM_THRESHOLDS).collect()))


def plain_thresholds(partition: Collection[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """From the rows of `gold.rfm` of a date: of each metric's scores the range, and how many have them."""
    found = []
    for metric, value, score, worst in (("recency_days", 3, 6, max), ("frequency", 4, 7, min), ("monetary", 5, 8, min)):
        best = min if worst is max else max
        for number in range(1, 6):
            values = [row[value] for row in partition if row[score] == number]
            found_range = (worst(values), best(values)) if values else (None, None)
            found.append(("quintiles", next(iter(partition))[0], metric, number, *found_range, len(values)))
    return found


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
    with pytest.raises(ArgumentError, match="--scheme must be JSON"):
        main(["--lake_root=file:/nowhere", "--snapshot_date=2026-01-31", "--scheme=quartiles"])


def test_is_skipped_while_there_is_nothing_to_read(spark: SparkSession, lake: Lake) -> None:
    result = run(spark, Config(lake.root, D))

    assert (result["rows"], result["skipped"][:29]) == (0, "silver.customers is required ")
    assert not lake.exists(spark, RFM)
