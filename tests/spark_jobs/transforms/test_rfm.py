import datetime as dt
import random
from collections.abc import Sequence
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession

from spark_jobs.transforms.rfm import QUINTILES, SEGMENTS, rfm, with_scores
from spark_jobs.transforms.scheme import Scheme
from spark_jobs.transforms.totals import Window, totals_of
from tests.spark_jobs.bookstore import customers, order, orders, random_orders
from tests.spark_jobs.plain_rfm import SEGMENT_OF, plain_rfm

D = dt.date(2026, 1, 31)


def partition_of(customers: DataFrame, orders: DataFrame, snapshot_date: dt.date, lookback_days: int) -> DataFrame:
    totals = totals_of(orders, Window(snapshot_date, lookback_days))
    return rfm(customers, totals, snapshot_date=snapshot_date, lookback_days=lookback_days)


def metrics(actual_df: DataFrame) -> list[tuple[object, ...]]:
    rows = actual_df.select("customer_id", "recency_days", "frequency", "monetary").collect()
    return sorted(tuple(row) for row in rows)


def test_every_score_and_segment_of_a_small_partition(spark: SparkSession) -> None:
    history = [
        order("O-1", 1, "2026-01-31T23:59:59", "50.00"),  # D itself, to its last second
        order("O-2", 1, "2026-01-01T00:00:00", "10.10"),
        order("O-3", 2, "2026-01-30T00:00:00", "60.10", "returned"),  # a part was kept: it counts
        order("O-4", 3, "2025-12-31T12:00:00", "5.00"),
        order("O-5", 4, "2025-12-31T08:00:00", "5.00"),  # ties with customer 3 in all
        order("O-6", 5, "2025-02-01T00:00:00", "999.99"),
    ]

    actual_df = partition_of(
        customers(spark, 1, 2, 3, 4, 5), orders(spark, history), snapshot_date=D, lookback_days=365
    )

    assert sorted(tuple(row) for row in actual_df.collect()) == [
        (D, 1, 365, 0, 2, Decimal("60.10"), 5, 5, 3, "553", "Champions"),
        (D, 2, 365, 1, 1, Decimal("60.10"), 4, 1, 3, "413", "Promising"),
        (D, 3, 365, 31, 1, Decimal("5.00"), 2, 1, 1, "211", "Hibernating"),
        (D, 4, 365, 31, 1, Decimal("5.00"), 2, 1, 1, "211", "Hibernating"),
        (D, 5, 365, 364, 1, Decimal("999.99"), 1, 1, 5, "115", "Hibernating"),
    ]


def test_what_does_not_count(spark: SparkSession) -> None:
    history = [
        order("O-1", 1, "2026-01-10T00:00:00", "20.00"),
        order("O-2", 1, "2026-01-20T00:00:00", "20.00", "cancelled"),
        order("O-3", 1, "2026-01-21T00:00:00", "0.00", "returned"),  # all of it went back
        order("O-4", 1, "2026-02-01T00:00:00", "20.00"),  # after D
        order("O-5", 1, "2025-01-31T23:59:59", "20.00"),  # one second before the first day of 365
        order("O-6", None, "2026-01-20T00:00:00", "20.00"),  # a guest
        order("O-7", 9, "2026-01-20T00:00:00", "20.00"),  # no longer a customer
        order("O-8", 2, "2026-01-20T00:00:00", "0.00", "cancelled"),  # nothing of customer 2 counts
    ]

    actual_df = partition_of(customers(spark, 1, 2), orders(spark, history), snapshot_date=D, lookback_days=365)

    assert metrics(actual_df) == [(1, 21, 1, Decimal("20.00"))]


def test_a_lookback_of_zero_is_all_history_and_one_is_the_day_itself(spark: SparkSession) -> None:
    history = [order("O-1", 1, "1999-01-31T00:00:00", "1.00"), order("O-2", 1, "2026-01-31T00:00:00", "2.00")]
    known, placed = customers(spark, 1), orders(spark, history)

    assert metrics(partition_of(known, placed, snapshot_date=D, lookback_days=0)) == [(1, 0, 2, Decimal("3.00"))]
    assert metrics(partition_of(known, placed, snapshot_date=D, lookback_days=1)) == [(1, 0, 1, Decimal("2.00"))]
    assert metrics(partition_of(known, placed, snapshot_date=D, lookback_days=10**8)) == [(1, 0, 2, Decimal("3.00"))]


def test_dates_are_utc_in_a_session_of_another_zone(spark: SparkSession) -> None:
    placed = orders(
        spark, [order("O-1", 1, "2026-01-31T23:30:00", "1.00"), order("O-2", 2, "2026-01-30T00:30:00", "1")]
    )
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    try:
        actual = metrics(partition_of(customers(spark, 1, 2), placed, snapshot_date=D, lookback_days=2))
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")

    assert actual == [(1, 0, 1, Decimal("1.00")), (2, 1, 1, Decimal("1.00"))]


@pytest.mark.parametrize(("seed", "lookback_days"), [(1, 365), (2, 30), (3, 0)])
def test_random_histories_agree_with_plain_python(spark: SparkSession, seed: int, lookback_days: int) -> None:
    known = range(40)  # 40 to 49 have orders and are no customers any more
    history = random_orders(seed, count=1_500, customer_ids=50, days=400, until=D)

    actual_df = partition_of(
        customers(spark, *known), orders(spark, history), snapshot_date=D, lookback_days=lookback_days
    )

    expected = plain_rfm(known, history, D, lookback_days)
    assert sorted(tuple(row) for row in actual_df.collect()) == expected
    assert len(expected) > 20


def test_scores_of_many_orders_of_magnitude_and_ties(spark: SparkSession) -> None:
    rng = random.Random(7)  # noqa: S311 - repeatable, not secret
    cents = [rng.choice([1, 9_999, 10_000, 10_001, rng.randrange(10 ** rng.randint(1, 17))]) for _ in range(2_003)]
    recency = [rng.choice([0, 1, 1, 2, rng.randrange(20_000)]) for _ in cents]
    frequency = [rng.choice([1, 1, 1, rng.randrange(1, 10**6)]) for _ in cents]

    actual = scores(spark, recency, frequency, cents)

    assert actual == list(
        zip(
            expected_scores([-days for days in recency]),
            expected_scores(frequency),
            expected_scores(cents),
            strict=True,
        )
    )


def test_one_customer_scores_lowest_in_all(spark: SparkSession) -> None:
    assert scores(spark, [3], [7], [100]) == [(1, 1, 1)]


def test_the_segments_cover_every_cell_as_the_contract_says() -> None:
    assert {f"{r}{f}": name for (r, f), name in SEGMENTS.items()} == SEGMENT_OF
    assert len(SEGMENTS) == 25


def test_a_scheme_has_cut_points_bins_of_other_numbers_or_both(spark: SparkSession) -> None:
    rng = random.Random(11)  # noqa: S311 - repeatable, not secret
    recency = [rng.choice([13, 14, 15, 60, 61, rng.randrange(400)]) for _ in range(200)]
    frequency = [rng.choice([1, 1, 3, 4, 9]) for _ in recency]
    cents = [rng.choice([1999, 2000, rng.randrange(1, 10**5)]) for _ in recency]
    scheme = Scheme("reach", {"r": (Decimal(14), Decimal(60)), "f": 2, "m": 9}, {})
    fixed = Scheme("fixed", {"r": 3, "f": (Decimal(4),), "m": (Decimal("19.99"), Decimal(20))}, {})
    all_fixed = Scheme("all-fixed", {**fixed.scales, "r": (Decimal(14),)}, {})

    by_days = [3 if days <= 14 else 2 if days <= 60 else 1 for days in recency]
    two, nine = expected_scores(frequency, bins=2), expected_scores(cents, bins=9)
    assert scores(spark, recency, frequency, cents, scheme) == list(zip(by_days, two, nine, strict=True))

    three = expected_scores([-days for days in recency], bins=3)
    by_orders = [2 if orders >= 4 else 1 for orders in frequency]
    by_money = [1 + (amount >= 1999) + (amount >= 2000) for amount in cents]
    assert scores(spark, recency, frequency, cents, fixed) == list(zip(three, by_orders, by_money, strict=True))

    fortnight = [2 if days <= 14 else 1 for days in recency]
    assert scores(spark, recency, frequency, cents, all_fixed) == list(zip(fortnight, by_orders, by_money, strict=True))


def scores(
    spark: SparkSession,
    recency: Sequence[int],
    frequency: Sequence[int],
    cents: Sequence[int],
    scheme: Scheme = QUINTILES,
) -> list[tuple[int, ...]]:
    rows = [
        (row, days, orders, Decimal(amount) / 100)
        for row, (days, orders, amount) in enumerate(zip(recency, frequency, cents, strict=True))
    ]
    columns = "row int, recency_days int, frequency bigint, monetary decimal(18,2)"
    scored = with_scores(spark.createDataFrame(rows, schema=columns), scheme)
    return [tuple(row)[1:] for row in sorted(scored.select("row", "r_score", "f_score", "m_score").collect())]


def expected_scores(values: Sequence[int], bins: int = 5) -> list[int]:
    worse = {value: sum(other < value for other in values) for value in set(values)}
    return [1 + bins * worse[value] // len(values) for value in values]


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 200))
def test_many_random_histories_agree_with_plain_python(spark: SparkSession, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    known = range(rng.randrange(1, 60))
    history = random_orders(seed, count=rng.randrange(1, 800), customer_ids=60, days=rng.randrange(1, 800), until=D)
    as_of, lookback_days = D - dt.timedelta(days=rng.randrange(40)), rng.choice([0, 1, 2, 30, 365])

    actual_df = partition_of(
        customers(spark, *known), orders(spark, history), snapshot_date=as_of, lookback_days=lookback_days
    )

    assert sorted(tuple(row) for row in actual_df.collect()) == plain_rfm(known, history, as_of, lookback_days)
