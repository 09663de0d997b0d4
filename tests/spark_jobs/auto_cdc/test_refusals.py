"""What is refused, with which words, and that nothing is written then."""

from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.auto_cdc import (
    ChangeDataError,
    RejectedBatchError,
    SchemaError,
    SpecificationError,
    TargetError,
    apply_changes,
)

_SCHEMA = "id int, at bigint, name string, tags map<string, int>, deletes boolean"


@pytest.fixture
def source(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([(1, 10, "ann", None, False)], _SCHEMA)


def _apply(source: DataFrame, target: str, **options: Any) -> None:
    given: dict[str, Any] = {"target": target, "source": source, "keys": ["id"], "sequence_by": "at"}
    apply_changes(source.sparkSession, **(given | options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keys": []}, "keys takes a list of at least one column name: found []"),
        ({"keys": "id"}, "keys takes a list of at least one column name: found 'id'"),
        ({"keys": ["no"]}, "keys must name existing columns: found no, expected some of id, at, name, tags, deletes"),
        ({"keys": ["tags"]}, "key column tags must be of a type that can be ordered: found map<string,int>"),
        ({"sequence_by": "tags"}, "sequence_by must be of a type that can be ordered: found map<string,int>"),
        (
            {"sequence_by": F.struct},
            "sequence_by must be of a type that can be ordered: found struct<at:bigint,tags:map",
        ),
        ({"stored_as_scd_type": 3}, "stored_as_scd_type must be 1 or 2: found 3"),
        (
            {"column_list": ["id"], "except_column_list": ["at"]},
            "column_list and except_column_list are two ways to say",
        ),
        ({"column_list": ["id", "no"]}, "column_list and except_column_list must name existing columns: found no"),
        ({"column_list": "id"}, "take a list of column names: found the text 'id', pass ['id']"),
        ({"except_column_list": ["id"]}, "key column id must be kept in the target"),
        ({"track_history_column_list": ["name"]}, "they need stored_as_scd_type=2, found 1"),
        (
            {"stored_as_scd_type": 2, "track_history_column_list": [], "track_history_except_column_list": []},
            "track_history_column_list and track_history_except_column_list are two ways to say",
        ),
        (
            {"stored_as_scd_type": 2, "track_history_column_list": ["at"], "except_column_list": ["at"]},
            "track_history_except_column_list must name existing columns: found at, expected some of id, name",
        ),
        ({"stored_as_scd_type": 2, "apply_as_truncates": "deletes"}, "apply_as_truncates needs stored_as_scd_type=1"),
    ],
)
def test_contradictory_arguments_are_refused(
    source: DataFrame, target: str, options: dict[str, Any], message: str
) -> None:
    if options.get("sequence_by") is F.struct:
        options = {"sequence_by": F.struct("at", "tags")}

    with pytest.raises(SpecificationError) as refusal:
        _apply(source, target, **options)

    assert message in str(refusal.value)
    assert not source.sparkSession.catalog.tableExists(target)


def test_a_reserved_column_name_is_refused(source: DataFrame, target: str) -> None:
    with pytest.raises(SpecificationError, match="columns named __START_AT are reserved"):
        _apply(source.withColumn("__START_AT", F.lit(1)), target)


_INCOMPLETE = [(None, 10, "a"), (1, None, "b"), (None, None, "c"), (2, 20, "d")]
_COUNTS = "2 with a null key column id and 2 with a null sequence_by: nothing of it was applied"


def test_a_null_key_or_sequence_rejects_the_batch_that_would_create_the_table(spark: SparkSession, target: str) -> None:
    incomplete = spark.createDataFrame(_INCOMPLETE, "id int, at bigint, name string")

    with pytest.raises(RejectedBatchError, match=_COUNTS):
        _apply(incomplete, target)

    assert not spark.catalog.tableExists(target)


@pytest.mark.full
def test_each_column_of_a_key_is_counted_on_its_own(spark: SparkSession, target: str) -> None:
    rows = [(None, "Boston", 1), ("US", None, 2), (None, None, 3), ("US", "Boston", 4)]
    incomplete = spark.createDataFrame(rows, "country string, city string, at int")

    with pytest.raises(RejectedBatchError, match="2 with a null key column country and 2 with a null key column city"):
        _apply(incomplete, target, keys=["country", "city"])

    assert not spark.catalog.tableExists(target)


def test_an_existing_target_is_defended(spark: SparkSession, source: DataFrame, target: str) -> None:
    """One table for all that needs one."""
    source = source.select("id", "at", "name")
    _apply(source, target, stored_as_scd_type=2)
    before = (spark.table(target).collect(), spark.table(f"{target}__cdc").collect())
    incomplete = spark.createDataFrame(_INCOMPLETE, source.schema)
    refusals: list[tuple[type[ChangeDataError], str, DataFrame, dict[str, Any]]] = [
        (
            TargetError,
            "stored as SCD type 2 and the call asks for type 1: pass stored_as_scd_type=2",
            source,
            {"stored_as_scd_type": 1},
        ),
        (
            TargetError,
            "has the keys id and the call's are id, name: pass keys=['id']",
            source,
            {"keys": ["id", "name"]},
        ),
        (
            SchemaError,
            "column name is string in the target and int in the source",
            source.withColumn("name", F.lit(1)),
            {},
        ),
        (
            SchemaError,
            "column sequence_by is bigint in the target and string in the source",
            source.withColumn("at", F.lit("x")),
            {"except_column_list": ["at"]},
        ),
        (RejectedBatchError, _COUNTS, incomplete, {}),
    ]
    for kind, message, batch, options in refusals:
        with pytest.raises(kind) as refusal:
            _apply(batch, target, **({"stored_as_scd_type": 2} | options))
        assert message in str(refusal.value)
    assert (spark.table(target).collect(), spark.table(f"{target}__cdc").collect()) == before


def test_a_target_whose_companion_was_lost_is_refused(spark: SparkSession, source: DataFrame, target: str) -> None:
    source = source.select("id", "at", "name")
    _apply(source, target)
    spark.sql(f"DROP TABLE {target}__cdc")

    with pytest.raises(TargetError, match=r"needs its companion .*__cdc, .* and found none: restore it, or"):
        _apply(source, target)


def test_a_table_with_rows_but_no_intervals_is_not_taken_for_type_2(source: DataFrame, target: str) -> None:
    source.select("id", "at", "name").write.format("delta").saveAsTable(target)

    with pytest.raises(
        TargetError, match="must have the columns __START_AT and __END_AT to become type 2, or be empty"
    ):
        _apply(source.select("id", "at", "name"), target, stored_as_scd_type=2)
