"""Run by test_connect.py: tells small stories over Spark Connect and prints the tables as JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.auto_cdc import RejectedBatchError, apply_changes
from spark_jobs.session import local_delta_conf

_SCHEMA = "id int, at int, name string, op string"
_CALLS = [
    [(1, 10, "a", "u"), (2, 10, "b", "u"), (1, 20, "a", "u")],
    [(1, 15, "late", "u"), (2, 30, None, "d")],
]
_TYPE_1_CALLS = [
    [(1, 10, "a", "u"), (2, 30, "b", "u"), (3, 40, None, "d")],
    [(None, 20, None, "t"), (3, 35, "c", "u"), (1, 15, "a", "u"), (4, 25, "late", "u")],
]


def _session() -> SparkSession:
    jars = sorted((Path(sys.prefix) / "jars" / "spark").glob("*.jar"))
    builder = SparkSession.builder.remote("local[2]")
    for name, value in local_delta_conf(jars).items():
        if name != "spark.master":
            builder = builder.config(name, value)
    session: SparkSession = builder.getOrCreate()
    return session


def _apply(source: DataFrame, target: str, scd_type: Any) -> None:
    apply_changes(
        source.sparkSession,
        target=target,
        source=source,
        keys=["id"],
        sequence_by="at",
        apply_as_deletes="op = 'd'",
        apply_as_truncates="op = 't'" if scd_type == 1 else None,
        except_column_list=["at", "op"],
        stored_as_scd_type=scd_type,
    )


def _stream(spark: SparkSession, folder: str) -> None:
    for rows in _CALLS:
        spark.createDataFrame(rows, _SCHEMA).coalesce(1).write.format("delta").mode("append").saveAsTable("cdc.feed")
    stream = spark.readStream.option("maxFilesPerTrigger", 1).table("cdc.feed").writeStream.trigger(availableNow=True)
    query = stream.foreachBatch(lambda batch, _: _apply(batch, "cdc.streamed", 2))
    query.option("checkpointLocation", f"{folder}/checkpoint").start().awaitTermination()


def _refusal(spark: SparkSession) -> list[tuple[str, bool]]:
    try:
        _apply(spark.createDataFrame([(None, 1, "x", "u")], _SCHEMA), "cdc.versions", 2)
    except RejectedBatchError as error:
        return [(type(error).__name__, "1 with a null key column id" in str(error))]
    return []


def main(folder: str) -> None:
    spark = _session()
    spark.sql(f"CREATE SCHEMA cdc LOCATION 'file:{folder}/cdc'")
    for target, scd_type, calls in (("cdc.latest", 1, _TYPE_1_CALLS), ("cdc.versions", 2, _CALLS)):
        for rows in calls:
            _apply(spark.createDataFrame(rows, _SCHEMA), target, scd_type)
    _stream(spark, folder)
    tables: dict[str, Any] = {
        name: sorted(([*row] for row in spark.table(f"cdc.{name}").collect()), key=lambda row: (row[0], row[2:3]))
        for name in ("latest", "versions", "streamed")
    }
    print(json.dumps(tables | {"refusal": _refusal(spark)}))  # noqa: T201 - the answer
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1])
