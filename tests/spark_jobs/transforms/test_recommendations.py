import datetime as dt
from collections.abc import Iterable

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from localcloud.bookstore.plan import Plan
from spark_jobs.tables import BOOKS_HISTORY
from spark_jobs.transforms.purchased_books import MOST_BOOKS, counted_lines, on_sale, purchases, tastes
from spark_jobs.transforms.recommendations import (
    affinities,
    genre_sizes,
    genre_tastes,
    neighbours,
    popularities,
    recommendations,
    times_everybodys,
)
from tests.spark_jobs.bookstore import frame, order_lines, orders
from tests.spark_jobs.taste import compared, drawn_purchases

D = dt.date(2026, 1, 31)
NOW = dt.datetime(2026, 1, 30, 12, tzinfo=dt.UTC)
Pairs = Iterable[tuple[int, int]]


def tastes_of(spark: SparkSession, pairs: Pairs, at: dt.datetime = NOW) -> DataFrame:
    rows = [(customer, book, genre_of(book), at) for customer, book in pairs]
    return spark.createDataFrame(rows, "customer_id bigint, book_id bigint, genre string, last_at timestamp")


def genre_of(book: int) -> str:
    return "Crime" if book < 13 else "Poetry"


def customers_of(spark: SparkSession, segments: dict[int, str | None]) -> DataFrame:
    return spark.createDataFrame(list(segments.items()), "customer_id bigint, rfm_segment string")


def books_of(spark: SparkSession, *book_ids: int) -> DataFrame:
    return spark.createDataFrame([(book_id, genre_of(book_id)) for book_id in book_ids], "book_id bigint, genre string")


def test_books_go_together_by_the_cosine_over_customers_who_count_less_the_more_they_have(spark: SparkSession) -> None:
    pairs = [(1, 10), (1, 11), (2, 10), (2, 11), (2, 12), (2, 13)]

    found = {(row.book_id, row.other_id): row.similarity for row in neighbours(tastes_of(spark, pairs)).collect()}

    # Customer 1 counts a half, customer 2 a quarter.
    assert found[10, 11] == found[11, 10] == 1_000_000
    assert found[10, 12] == found[12, 10] == round(1_000_000 * 0.25 / (0.75 * 0.25) ** 0.5)
    assert (10, 10) not in found


def test_affinity_is_the_share_of_what_leads_to_a_book(spark: SparkSession) -> None:
    rows = affinities(tastes_of(spark, [(1, 10), (1, 11), (2, 11), (2, 12), (3, 10)])).collect()

    found = {(row.customer_id, row.book_id): row.affinity for row in rows}
    ten, twelve = 0.5 / (1.5 * 1.0) ** 0.5, 0.5 / (1.0 * 0.5) ** 0.5  # how like 11 they are
    # Only book 11 leads to 12, and both 10 and 12 lead to 11.
    assert found[1, 12] == 1.0
    assert found[3, 11] == found[1, 11] == pytest.approx(ten / (ten + twelve), rel=1e-5)
    assert found[2, 11] == pytest.approx(twelve / (ten + twelve), rel=1e-5)


def test_a_genre_counts_by_how_much_more_of_it_a_customer_has_than_everybody(spark: SparkSession) -> None:
    unknown = spark.createDataFrame(
        [(1, 99, None, NOW)], "customer_id bigint, book_id bigint, genre string, at timestamp"
    )

    tastes = tastes_of(spark, [(1, 10), (1, 11), (1, 13), (2, 13)]).union(unknown)

    own = {row.customer_id: (row.books, row.genres) for row in genre_tastes(tastes).collect()}
    sizes = {(row.genre, row.genre_size, row.everything) for row in genre_sizes(tastes).collect()}

    times = genre_tastes(tastes).crossJoin(genre_sizes(tastes)).withColumn("times", times_everybodys())
    found = {(row.customer_id, row.genre): row.times for row in times.where("times IS NOT NULL").collect()}

    # Of five books two are Crime and two Poetry.
    assert found == {(1, "Crime"): 2 * 5 / 2, (1, "Poetry"): 1 * 5 / 2, (2, "Poetry"): 1 * 5 / 2}
    assert own == {1: (4, {"Crime": 2, "Poetry": 1}), 2: (1, {"Poetry": 1})}
    assert sizes == {("Crime", 2, 5), ("Poetry", 2, 5), (None, 1, 5)}


def test_a_segments_own_share_counts_as_far_as_it_is_large(spark: SparkSession) -> None:
    pairs = [(1, 10), (2, 10), (3, 11)]
    customers = customers_of(spark, {1: "A", 2: "A", 3: "B", 4: None})
    old = tastes_of(spark, [(1, 12)], at=NOW - dt.timedelta(days=90))

    rows = popularities(customers, tastes_of(spark, pairs).union(old), books_of(spark, 10, 11, 12), D).collect()

    popularity = {(row.segment, row.book_id): row.popularity for row in rows}
    assert popularity["A", 10] == pytest.approx((2 + 300 * 3 / 4) / (2 + 300))
    assert popularity["B", 11] == pytest.approx((1 + 300 * 2 / 4) / (1 + 300))
    assert (popularity[None, 10], popularity[None, 12]) == (3 / 4, 1 / 4)
    assert [row.book_id for row in sorted(rows, key=lambda row: row.place) if row.segment == "B"] == [10, 11, 12]


def test_everybody_gets_books_on_sale_that_they_do_not_have_in_a_fixed_order(spark: SparkSession) -> None:
    pairs = [(1, 10), (1, 11), (2, 11), (2, 12), (3, 10), (3, 14)]
    everything = [(4, book) for book in (10, 11, 12, 13)]
    customers = customers_of(spark, {1: "A", 2: "A", 3: "B", 4: None, 5: None})

    def found(taste: DataFrame) -> list[tuple[object, ...]]:
        owned = taste.select("customer_id", "book_id").union(spark.createDataFrame(everything, "a bigint, b bigint"))
        rows = recommendations(customers, taste, owned, books_of(spark, 13, 12, 11, 10), snapshot_date=D)
        return sorted((r.customer_id, r.rank, r.book_id, r.source, r.rfm_segment, r.score) for r in rows.collect())

    rows = found(tastes_of(spark, pairs))

    # 14 isn't on sale; 12 follows from 11; nobody has bought 13; of equals, the lower number comes first.
    assert [row[:5] for row in rows] == [
        (1, 1, 12, "bought together", "A"),
        (1, 2, 13, "popular now", "A"),
        (2, 1, 10, "bought together", "A"),
        (2, 2, 13, "popular now", "A"),
        (3, 1, 11, "bought together", "B"),
        (3, 2, 12, "favourite genre", "B"),
        (3, 3, 13, "favourite genre", "B"),
        (5, 1, 10, "popular now", None),
        (5, 2, 11, "popular now", None),
        (5, 3, 12, "popular now", None),
        (5, 4, 13, "popular now", None),
    ]
    assert found(tastes_of(spark, reversed(pairs)).repartition(3)) == rows


def test_tastes_are_the_newest_kept_books_of_the_lookback(spark: SparkSession) -> None:
    def line(number: int, order_id: str = "O-1", **fields: object) -> dict[str, object]:
        usual = {"order_id": order_id, "customer_id": 1, "book_id": number, "quantity": 1, "returned_quantity": 0}
        return {**usual, "ordered_at": NOW - dt.timedelta(minutes=number), **fields}

    lines = [line(number) for number in range(MOST_BOOKS + 1)]
    others = [
        line(500, returned_quantity=1),
        line(501, ordered_at=NOW - dt.timedelta(days=30)),
        line(502, order_id="O-2"),
    ]
    counted = orders(spark, [{"order_id": "O-1"}])

    history = counted_lines(order_lines(spark, lines + others), counted)
    bought = purchases(history, snapshot_date=D, lookback_days=30)

    assert sorted(row.book_id for row in tastes(bought).collect()) == list(range(MOST_BOOKS))
    assert {row.book_id for row in bought.collect()} == {*range(MOST_BOOKS + 1), 500, 501}


def test_a_book_is_on_sale_from_its_listing_to_its_withdrawal(spark: SparkSession) -> None:
    midnight = round(dt.datetime(2026, 2, 1, tzinfo=dt.UTC).timestamp() * 1_000)
    intervals = {1: (0, None), 2: (0, midnight - 1), 3: (0, midnight), 4: (midnight - 1, None), 5: (midnight, None)}
    rows = [
        {"book_id": book, "__START_AT": {"ts_ms": start, "lsn": 0}, "__END_AT": end and {"ts_ms": end, "lsn": 0}}
        for book, (start, end) in intervals.items()
    ]

    assert sorted(row.book_id for row in on_sale(frame(spark, BOOKS_HISTORY, rows), D).collect()) == [1, 3, 4]


@pytest.mark.full
def test_planted_tastes_are_met_better_than_by_what_sold_lately(spark: SparkSession) -> None:
    """On a global split in time, new books alone; the interval is a bootstrap over customers.

    On the bookstore that `localcloud produce` makes up when it isn't told otherwise.
    """
    shop = drawn_purchases(Plan(2_000, 500, 30_000, dt.date(2025, 2, 1), D, seed=1), held_out_days=60)

    hits, popular_hits = compared(spark, shop)

    ratio = hits.mean() / popular_hits.mean()
    rng = np.random.default_rng(1)
    draws = rng.integers(0, len(hits), (2_000, len(hits)))
    low, high = np.quantile(hits[draws].mean(axis=1) / popular_hits[draws].mean(axis=1), [0.025, 0.975])
    assert low > 1.0, f"{hits.mean():.3f} against {popular_hits.mean():.3f}: {ratio:.3f}, from {low:.3f} to {high:.3f}"
    assert ratio >= 1.2
