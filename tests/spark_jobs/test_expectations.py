"""What is expected of a run's messages, and what is kept of it."""

import datetime as dt
from collections import Counter

from pyspark.sql import SparkSession

from spark_jobs.audited import Audited
from spark_jobs.expectations import Limits, Outcome, check, sentences
from spark_jobs.lake import Lake
from spark_jobs.tables import EXPECTATIONS
from tests.broker import Broker
from tests.spark_jobs.ingesting import BOOKS, CUSTOMERS, ORDERS, orders, run

NOW = dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC)


def audited(good: int, bad: int, *, unaccounted: int = 0, minutes: float = 0) -> Audited:
    """The accounts of orders, the newest of which is so old."""
    newest = {ORDERS: NOW - dt.timedelta(minutes=minutes)}
    return Audited(Counter({ORDERS: good}), Counter({ORDERS: bad}), Counter({ORDERS: unaccounted}), {}, newest)


def test_each_expectation_of_a_topic_is_met_up_to_its_limit() -> None:
    before, limits = audited(90, 50), Limits(quarantined_percent=10, age_minutes=5)
    assert check(before, audited(99, 51, minutes=5), limits, NOW) == [
        Outcome(NOW, ORDERS, "readable", 10, 10.0, True, 10),
        Outcome(NOW, ORDERS, "accounted", 0, 0, True, 10),
        Outcome(NOW, ORDERS, "fresh", 5, 5.0, True, 10),
    ]
    broken = check(before, audited(97, 51, unaccounted=1, minutes=5.5), limits, NOW)
    assert [(outcome.expectation, outcome.found, outcome.is_met) for outcome in broken] == [
        ("readable", 12.5, False),
        ("accounted", 1, False),
        ("fresh", 5.5, False),
    ]
    assert sentences(broken)[0] == (
        "bookstore.orders should be readable: at most 10 expected, 12.5 found in 8 messages (see ops.expectations)"
    )


def test_nothing_is_asked_of_a_topic_in_which_nothing_arrived_nor_of_an_age_without_limit() -> None:
    assert check(audited(90, 50), audited(90, 50, minutes=9), Limits(10, 5), NOW) == []
    found = check(audited(90, 50), audited(91, 50, minutes=9), Limits(10, 0), NOW)
    assert [outcome.expectation for outcome in found] == ["readable", "accounted"]


def test_what_was_found_is_kept_and_what_was_not_met_is_told(spark: SparkSession, lake: Lake, broker: Broker) -> None:
    broker.produce(ORDERS, [*orders(1, 2, 3), (None, b"?")])
    broker.produce(BOOKS, [(None, b"?")])
    broker.produce(CUSTOMERS, [(b'{"customer_id":1}', None)])
    unmet = run(spark, lake, broker, max_quarantined_percent=25)["unmet"]
    assert unmet == [
        "bookstore.books should be readable: at most 25 expected, 100 found in 1 messages (see ops.expectations)"
    ]
    assert "unmet" not in run(spark, lake, broker)
    kept = lake.read(spark, EXPECTATIONS).where("expectation = 'readable'").drop("checked_at", "expectation").collect()
    assert sorted(tuple(row) for row in kept) == [
        (BOOKS, 25.0, 100.0, False, 1),
        (CUSTOMERS, 25.0, 0.0, True, 1),
        (ORDERS, 25.0, 25.0, True, 4),
    ]
