"""The worked examples of AUTO CDC in the documentation of Databricks and of open-source Spark: their target tables."""

from typing import Any, Literal

import pytest
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.auto_cdc import apply_changes

_FEED = [
    (124, "Raul", "Oaxaca", "INSERT", 1),
    (123, "Isabel", "Monterrey", "INSERT", 1),
    (125, "Mercedes", "Tijuana", "INSERT", 2),
    (126, "Lily", "Cancun", "INSERT", 2),
    (123, None, None, "DELETE", 6),
    (125, "Mercedes", "Guadalajara", "UPDATE", 6),
    (125, "Mercedes", "Mexicali", "UPDATE", 5),
    (123, "Isabel", "Chihuahua", "UPDATE", 5),
]
_TRUNCATE = (None, None, None, "TRUNCATE", 3)


@pytest.fixture
def feed(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(_FEED, "userId int, name string, city string, operation string, sequenceNum int")


def _options(**more: Any) -> dict[str, Any]:
    return {
        "keys": ["userId"],
        "sequence_by": F.col("sequenceNum"),
        "apply_as_deletes": F.expr("operation = 'DELETE'"),
        "except_column_list": ["operation", "sequenceNum"],
    } | more


def _rows(spark: SparkSession, target: str, *order: str | Column) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in spark.table(target).orderBy(*order).collect()]


def test_type_1_keeps_the_latest_row_of_each_user(spark: SparkSession, target: str, feed: DataFrame) -> None:
    apply_changes(spark, target=target, source=feed, stored_as_scd_type=1, **_options())

    assert _rows(spark, target, "userId") == [
        (124, "Raul", "Oaxaca"),
        (125, "Mercedes", "Guadalajara"),
        (126, "Lily", "Cancun"),
    ]


@pytest.mark.full
def test_a_truncate_removes_what_came_before_it(spark: SparkSession, target: str, feed: DataFrame) -> None:
    truncated = feed.union(spark.createDataFrame([_TRUNCATE], feed.schema))
    options = _options(apply_as_truncates=F.expr("operation = 'TRUNCATE'"))

    apply_changes(spark, target=target, source=truncated, stored_as_scd_type=1, **options)

    assert _rows(spark, target, "userId") == [(125, "Mercedes", "Guadalajara")]


def test_type_2_keeps_every_version(spark: SparkSession, target: str, feed: DataFrame) -> None:
    apply_changes(spark, target=target, source=feed, stored_as_scd_type=2, **_options())

    assert _rows(spark, target, "userId", "__START_AT") == [
        (123, "Isabel", "Monterrey", 1, 5),
        (123, "Isabel", "Chihuahua", 5, 6),
        (124, "Raul", "Oaxaca", 1, None),
        (125, "Mercedes", "Tijuana", 2, 5),
        (125, "Mercedes", "Mexicali", 5, 6),
        (125, "Mercedes", "Guadalajara", 6, None),
        (126, "Lily", "Cancun", 2, None),
    ]


@pytest.mark.full
def test_an_untracked_city_opens_no_version(spark: SparkSession, target: str, feed: DataFrame) -> None:
    options = _options(track_history_except_column_list=["city"])

    apply_changes(spark, target=target, source=feed, stored_as_scd_type=2, **options)

    assert _rows(spark, target, "userId", "__START_AT") == [
        (123, "Isabel", "Chihuahua", 1, 6),
        (124, "Raul", "Oaxaca", 1, None),
        (125, "Mercedes", "Guadalajara", 2, None),
        (126, "Lily", "Cancun", 2, None),
    ]


_EMPLOYEES = [
    (1, "Alex", "chef", "FR", "INSERT", 1),
    (2, "Jessica", "owner", "US", "INSERT", 2),
    (3, "Mikhail", "security", "UK", "INSERT", 3),
    (4, "Gary", "cleaner", "UK", "INSERT", 4),
    (5, "Chris", "owner", "NL", "INSERT", 6),
    (5, "Chris", "manager", "NL", "UPDATE", 5),
    (6, "Pat", "mechanic", "NL", "DELETE", 8),
    (6, "Pat", "mechanic", "NL", "INSERT", 7),
]
_UNCHANGED = [(1, "Alex", "chef", "FR"), (2, "Jessica", "owner", "US"), (3, "Mikhail", "security", "UK")]


@pytest.mark.full
@pytest.mark.parametrize(
    ("scd_type", "expected"),
    [
        (1, [*_UNCHANGED, (4, "Gary", "cleaner", "UK"), (5, "Chris", "owner", "NL")]),
        (
            2,
            [
                *[(*row, at, None) for at, row in enumerate(_UNCHANGED, start=1)],
                (4, "Gary", "cleaner", "UK", 4, None),
                (5, "Chris", "manager", "NL", 5, 6),
                (5, "Chris", "owner", "NL", 6, None),
                (6, "Pat", "mechanic", "NL", 7, 8),
            ],
        ),
    ],
)
def test_an_update_and_an_insert_that_come_too_late(
    spark: SparkSession, target: str, scd_type: Literal[1, 2], expected: list[tuple[Any, ...]]
) -> None:
    feed = spark.createDataFrame(
        _EMPLOYEES, "id int, name string, role string, country string, operation string, sequenceNum int"
    )

    apply_changes(spark, target=target, source=feed, stored_as_scd_type=scd_type, **_options(keys=["id"]))

    assert sorted(_rows(spark, target, "id")) == expected


@pytest.mark.full
def test_a_late_duplicate_in_a_second_batch_is_no_news(spark: SparkSession, target: str) -> None:
    schema = "id int, name string, version int, op string"
    batches = [
        [(1, "alice", 1, "UPSERT"), (2, "bob", 1, "UPSERT")],
        [(1, "alicia", 2, "UPSERT"), (2, "bob", 2, "DELETE"), (3, "carol", 1, "UPSERT"), (1, "alice", 1, "UPSERT")],
    ]
    for batch in batches:
        apply_changes(
            spark,
            target=target,
            source=spark.createDataFrame(batch, schema),
            keys=["id"],
            sequence_by="version",
            apply_as_deletes="op = 'DELETE'",
            except_column_list=["op"],
        )

    assert _rows(spark, target, "id") == [(1, "alicia", 2), (3, "carol", 1)]
