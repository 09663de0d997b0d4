"""Sources whose columns come, go and grow; targets that exist already, are dropped or come back."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from spark_jobs.auto_cdc import SchemaError, apply_changes
from spark_jobs.auto_cdc.schema import Widening, merged_struct, merged_type, widenings


def _apply(source: DataFrame, target: str, **options: Any) -> None:
    given: dict[str, Any] = {"target": target, "source": source, "keys": ["id"], "sequence_by": "at"}
    apply_changes(source.sparkSession, **(given | options))


def _rows(spark: SparkSession, target: str, *order: str) -> list[dict[str, Any]]:
    return [row.asDict(recursive=True) for row in spark.table(target).orderBy(*order).collect()]


@pytest.mark.parametrize(
    ("target", "source", "expected"),
    [
        (IntegerType(), LongType(), LongType()),
        (LongType(), IntegerType(), LongType()),
        (IntegerType(), DoubleType(), DoubleType()),
        (FloatType(), DoubleType(), DoubleType()),
        (DecimalType(5, 2), DecimalType(7, 4), DecimalType(7, 4)),
        (DecimalType(5, 2), DecimalType(5, 4), DecimalType(7, 4)),
        (DecimalType(5, 2), IntegerType(), DecimalType(12, 2)),
        (DateType(), TimestampNTZType(), TimestampNTZType()),
        (LongType(), DoubleType(), None),
        (IntegerType(), StringType(), None),
        (DecimalType(38, 0), DecimalType(38, 10), None),
        (TimestampType(), TimestampNTZType(), None),
    ],
)
def test_types_meet_where_nothing_is_lost(target: DataType, source: DataType, expected: DataType | None) -> None:
    if expected is None:
        with pytest.raises(SchemaError, match="no type holds both without loss"):
            merged_type(target, source, "price")
    else:
        assert merged_type(target, source, "price") == expected


def test_new_fields_come_last_and_names_match_without_case() -> None:
    old = StructType().add("Id", IntegerType()).add("at", StructType().add("x", IntegerType()))
    new = (
        StructType()
        .add("extra", DateType())
        .add("AT", StructType().add("y", LongType()).add("X", LongType()))
        .add("ID", LongType())
    )

    merged = merged_struct(old, new)

    grown = StructType().add("x", LongType()).add("y", LongType())
    assert merged == StructType().add("Id", LongType()).add("at", grown).add("extra", DateType())
    assert list(widenings(old, merged)) == [Widening(("Id",), LongType()), Widening(("at", "x"), LongType())]


def test_columns_are_added_widened_and_missed(spark: SparkSession, target: str) -> None:
    first = spark.createDataFrame(
        [(1, 10, 5, ("x",)), (2, 10, 6, ("y",))], "id int, at int, price int, address struct<city: string>"
    )
    second = spark.createDataFrame(
        [(1, 20, Decimal("7.25"), ("x", 9), "new")],
        "id bigint, at bigint, price decimal(12,2), address struct<city: string, zip: int>, extra string",
    )
    third = spark.createDataFrame([(1, 30)], "id int, at int")

    for source in (first, second, third):
        _apply(source, target, stored_as_scd_type=2, except_column_list=["at"])

    assert _rows(spark, target, "id", "__START_AT") == [
        {
            "id": 1,
            "price": Decimal("5.00"),
            "address": {"city": "x", "zip": None},
            "extra": None,
            "__START_AT": 10,
            "__END_AT": 20,
        },
        {
            "id": 1,
            "price": Decimal("7.25"),
            "address": {"city": "x", "zip": 9},
            "extra": "new",
            "__START_AT": 20,
            "__END_AT": 30,
        },
        {"id": 1, "price": None, "address": None, "extra": None, "__START_AT": 30, "__END_AT": None},
        {
            "id": 2,
            "price": Decimal("6.00"),
            "address": {"city": "y", "zip": None},
            "extra": None,
            "__START_AT": 10,
            "__END_AT": None,
        },
    ]
    assert spark.table(target).dtypes[:2] == [("id", "bigint"), ("price", "decimal(12,2)")]


@pytest.mark.full
def test_every_kind_of_column_is_compared(spark: SparkSession, target: str) -> None:
    """Maps can't be compared in SQL, names can hold dots and quotes, and a key and a sequence can have any order."""
    schema = "`the.key` date, at timestamp, tags map<string, array<map<string, int>>>, `a``b` binary"
    day, hour = date(2026, 1, 31), datetime(2026, 1, 31, 10, tzinfo=UTC)
    calls = [
        [(day, hour, {"a": [{"x": 1, "y": 2}], "b": None}, b"1")],
        [(day, hour.replace(hour=11), {"b": None, "a": [{"y": 2, "x": 1}]}, b"1")],
        [(day, hour.replace(hour=12), {"b": None, "a": [{"y": 3, "x": 1}]}, b"1")],
    ]
    for rows in calls:
        _apply(
            spark.createDataFrame(rows, schema),
            target,
            keys=["the.key"],
            except_column_list=["at"],
            stored_as_scd_type=2,
        )

    shown = spark.table(target).select(F.col("tags")["a"][0]["y"], F.hour("__START_AT"), F.hour("__END_AT"))
    assert sorted(map(tuple, shown.collect())) == [(2, 10, 12), (3, 12, None)]


def test_a_table_that_was_created_empty_elsewhere_is_taken_over(
    spark: SparkSession, target: str, tmp_path: Any
) -> None:
    spark.sql(f"CREATE TABLE {target} (id bigint, name string) USING delta LOCATION 'file:{tmp_path}/elsewhere'")
    source = spark.createDataFrame([(1, "a", 10, "u")], "id bigint, name string, at int, op string")

    _apply(source, target, except_column_list=["at", "op"])

    assert _rows(spark, target, "id") == [{"id": 1, "name": "a"}]
    assert (tmp_path / "elsewhere__cdc" / "_delta_log").is_dir()


def test_the_memory_outlives_the_catalog(spark: SparkSession, target: str, tmp_path: Any) -> None:
    """A new cluster knows no tables; the target is registered again where it lies, and its companion is found there."""
    create = f"CREATE TABLE {target} {{columns}} USING delta LOCATION 'file:{tmp_path}/here'"
    deleted = spark.createDataFrame([(1, "a", 20, True)], "id int, name string, at int, deletes boolean")
    late = spark.createDataFrame([(1, "a", 10, False)], deleted.schema)
    options: dict[str, Any] = {"except_column_list": ["at", "deletes"], "apply_as_deletes": "deletes"}
    spark.sql(create.format(columns="(id int, name string)"))
    _apply(deleted, target, **options)
    for name in (target, f"{target}__cdc"):
        spark.sql(f"DROP TABLE {name}")  # of a table with a location, this forgets the name alone

    spark.sql(create.format(columns=""))
    _apply(late, target, **options)

    assert _rows(spark, target, "id") == []


@pytest.mark.full
def test_a_target_that_was_dropped_and_made_anew_starts_without_memory(spark: SparkSession, target: str) -> None:
    deleted = spark.createDataFrame([(1, "a", 20, True)], "id int, name string, at int, deletes boolean")
    late = spark.createDataFrame([(1, "a", 10, False)], deleted.schema)
    options: dict[str, Any] = {"except_column_list": ["at", "deletes"], "apply_as_deletes": "deletes"}
    _apply(deleted, target, **options)
    spark.sql(f"DROP TABLE {target}")

    _apply(late, target, **options)

    assert _rows(spark, target, "id") == [{"id": 1, "name": "a"}]
