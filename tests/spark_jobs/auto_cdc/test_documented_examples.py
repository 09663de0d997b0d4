"""The worked example of Databricks' documentation of AUTO CDC: each of its target tables."""

from typing import Any

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


def test_an_untracked_city_opens_no_version(spark: SparkSession, target: str, feed: DataFrame) -> None:
    options = _options(track_history_except_column_list=["city"])

    apply_changes(spark, target=target, source=feed, stored_as_scd_type=2, **options)

    assert _rows(spark, target, "userId", "__START_AT") == [
        (123, "Isabel", "Chihuahua", 1, 6),
        (124, "Raul", "Oaxaca", 1, None),
        (125, "Mercedes", "Guadalajara", 2, None),
        (126, "Lily", "Cancun", 2, None),
    ]
