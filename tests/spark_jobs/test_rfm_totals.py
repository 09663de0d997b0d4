"""Partitions whose totals are carried on from others: the same as the definition gives, whatever happened to orders."""

import datetime as dt
import shutil
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from spark_jobs import rfm_totals
from spark_jobs.jobs import aggregate_rfm
from spark_jobs.lake import Lake
from spark_jobs.partitions import on
from spark_jobs.tables import LAYERS, ORDERS, RFM, RFM_TOTALS
from tests.spark_jobs.bookstore import random_orders
from tests.spark_jobs.changing_shop import Shop, at, changed

D = dt.date(2026, 1, 31)
DAY = dt.timedelta(days=1)
_SETTINGS = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],  # an example takes half a minute
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(autouse=True)
def _every_shop_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfm_totals, "SMALL_BYTES", 0)


def live_through_a_random_history(spark: SparkSession, root: str, seed: int, runs: int) -> None:
    """Commits and runs in turn; most runs carry totals on."""
    rng = Random(seed)  # noqa: S311 - repeatable, not secret
    coming = random_orders(seed, count=120, customer_ids=12, days=60, until=D)  # in no order of time
    shop = Shop(spark, Lake(root), set(range(10)))
    shop.commit(*[coming.pop() for _ in range(60)])
    for _ in range(runs):
        for _ in range(rng.choice([0, 1, 1, 2])):
            known = rng.sample(sorted(shop.orders), k=10)
            shop.commit(*[changed(shop.orders[key], rng) for key in known[3:]], *coming[-5:], deleted=known[:3])
            del coming[-5:]
        if rng.random() < 0.3:
            shop.keep_customers(rng.sample(range(12), k=9))
        date = D - DAY * rng.choice([0, 0, 1, 2, 5, 30])
        shop.run(date, rng.choice([0, 7, 7, 30]))
        shop.check()
    for layer in LAYERS:
        spark.sql(f"DROP SCHEMA IF EXISTS {layer} CASCADE")


@settings(_SETTINGS, max_examples=1)
@given(seed=st.integers(0, 2**32))
def test_any_history_in_any_order_is_what_a_full_recomputation_gives(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    live_through_a_random_history(spark, f"file:{tmp_path_factory.mktemp('shop')}/lake", seed, runs=3)


@pytest.mark.full
@settings(_SETTINGS, max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_many_histories_in_any_order_are_what_a_full_recomputation_gives(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    live_through_a_random_history(spark, f"file:{tmp_path_factory.mktemp('shop')}/lake", seed, runs=15)


def test_a_day_is_carried_on_from_the_day_before_with_what_was_corrected_since(spark: SparkSession, lake: Lake) -> None:
    shop = Shop(spark, lake, {1, 2, 3, 4, 5})
    newest_goes = [at("O-1", 1, D - 9 * DAY), at("O-2", 1, D - DAY)]
    oldest_leaves = [at("O-3", 2, D - 30 * DAY), at("O-4", 2, D - 2 * DAY, "7.00")]
    all_leave = [at("O-5", 3, D - 30 * DAY)]
    shop.commit(*newest_goes, *oldest_leaves, *all_leave, at("O-6", 9, D - DAY))
    assert shop.run(D - DAY, 30) == {"snapshot_date": D - DAY, "rows": 3}

    cancelled, late, new = {**newest_goes[1], "status": "cancelled"}, at("O-7", 4, D - 5 * DAY), at("O-8", 5, D)
    shop.commit(cancelled, late, new)
    shop.keep_customers({1, 2, 3, 4, 5, 9})  # 9 has come after the order

    assert shop.run(D, 30) == {"snapshot_date": D, "rows": 5, "carried_on_from": D - DAY}
    shop.check()
    recency = {row.customer_id: row.recency_days for row in lake.read(spark, RFM).where(on(D)).collect()}
    assert recency == {1: 9, 2: 2, 4: 5, 5: 0, 9: 1}


@pytest.mark.full
def test_totals_stored_by_a_run_that_died_before_the_partition_do_no_harm(
    spark: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(spark, lake, {1, 2})
    shop.commit(at("O-1", 1, D), at("O-2", 2, D - DAY))
    with monkeypatch.context() as patch:
        patch.setattr(aggregate_rfm, "rfm", _die)
        with pytest.raises(RuntimeError, match="the power went out"):
            shop.run(D, 30)
    assert lake.read(spark, RFM_TOTALS).count() == 2
    shop.commit({**shop.orders["O-1"], "net_amount": Decimal("3.00")})

    assert shop.run(D, 30) == {"snapshot_date": D, "rows": 2, "carried_on_from": D}

    shop.check()


def _die(*_: object, **__: object) -> None:
    raise RuntimeError("the power went out")


@pytest.mark.full
def test_where_the_change_data_is_gone_all_orders_are_added_up(spark: SparkSession, lake: Lake) -> None:
    shop = Shop(spark, lake, {1})
    shop.commit(at("O-1", 1, D))
    shop.run(D, 30)
    shop.commit(at("O-1", 1, D, "3.00"))
    shutil.rmtree(Path(lake.path(ORDERS).removeprefix("file:")) / "_change_data")

    assert shop.run(D, 30) == {"snapshot_date": D, "rows": 1}

    shop.check()


@pytest.mark.full
def test_totals_of_orders_that_were_dropped_are_not_carried_on(spark: SparkSession, lake: Lake) -> None:
    shop = Shop(spark, lake, {1})
    shop.commit(at("O-1", 1, D))
    shop.run(D, 30)
    spark.sql(f"DROP TABLE {lake.name(ORDERS)}")
    shutil.rmtree(lake.path(ORDERS).removeprefix("file:"))
    lake.create(spark, ORDERS)
    shop.orders.clear()
    shop.commit(at("O-2", 1, D - DAY))
    shop.commit(at("O-3", 1, D - DAY))

    assert shop.run(D, 30) == {"snapshot_date": D, "rows": 1}

    shop.check()


def test_of_a_small_shop_nothing_is_stored(spark: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    shop = Shop(spark, lake, {1})
    shop.commit(at("O-1", 1, D))

    assert shop.run(D, 30) == {"snapshot_date": D, "rows": 1}

    assert not lake.exists(spark, RFM_TOTALS)


@pytest.mark.full
def test_maintenance_drops_the_totals_of_dates_that_are_far_behind(spark: SparkSession, lake: Lake) -> None:
    shop = Shop(spark, lake, {1})
    shop.commit(at("O-1", 1, D - 9 * DAY))
    for date in (D, D - 8 * DAY, D - 9 * DAY):
        shop.run(date, 30)

    rfm_totals.forget_old_totals(spark, lake)

    kept = {row.snapshot_date for row in lake.read(spark, RFM_TOTALS).collect()}
    assert kept == {D, D - 8 * DAY}
    shop.check()


@pytest.mark.full
def test_every_partition_of_a_year_at_once_and_some_twice(spark: SparkSession, lake: Lake) -> None:
    """With orders corrected in the middle."""
    shop = Shop(spark, lake, set(range(20)))
    placed = random_orders(11, count=400, customer_ids=22, days=500, until=D)
    shop.commit(*placed)
    dates = [D - DAY * age for age in range(365)]
    twice = dates[:: len(dates) // 5]
    rng = Random(11)  # noqa: S311 - repeatable, not secret
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda date: shop.run(date, 60), [*dates, *twice]))
        shop.check()
        shop.commit(*[changed(row, rng) for row in placed[::20]])
        list(pool.map(lambda date: shop.run(date, 60), [*twice, *twice]))
    shop.check()
