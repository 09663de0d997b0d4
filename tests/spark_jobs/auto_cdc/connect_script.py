"""Run by test_connect.py: tells stories over Spark Connect and prints what the tables show as JSON."""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.auto_cdc import RejectedBatchError, TiedEventsWarning, apply_changes
from spark_jobs.session import local_delta_conf
from tests.spark_jobs.auto_cdc.stories import KINDS, Shown, shown_in

_SCHEMA = "id int, at int, name string, op string"
_CALLS = [
    [(1, 10, "a", "u"), (2, 10, "b", "u"), (1, 20, "a", "u")],
    [(1, 15, "late", "u"), (2, 30, None, "d")],
]


def _session() -> SparkSession:
    jars = sorted((Path(sys.prefix) / "jars" / "spark").glob("*.jar"))
    builder = SparkSession.builder.remote("local[2]")
    for name, value in local_delta_conf(jars).items():
        if name != "spark.master":
            builder = builder.config(name, value)
    session: SparkSession = builder.getOrCreate()
    return session


def _told(spark: SparkSession, number: int, kind: str) -> Shown:
    target = f"cdc.stories_{number}"
    KINDS[kind].tell(spark, target)
    return shown_in(spark, target)


def _apply(source: DataFrame, target: str) -> None:
    apply_changes(
        source.sparkSession,
        target=target,
        source=source,
        keys=["id"],
        sequence_by="at",
        apply_as_deletes="op = 'd'",
        except_column_list=["at", "op"],
        stored_as_scd_type=2,
    )


def _streamed(spark: SparkSession, folder: str) -> list[list[Any]]:
    for rows in _CALLS:
        spark.createDataFrame(rows, _SCHEMA).coalesce(1).write.format("delta").mode("append").saveAsTable("cdc.feed")
    stream = spark.readStream.option("maxFilesPerTrigger", 1).table("cdc.feed").writeStream.trigger(availableNow=True)
    query = stream.foreachBatch(lambda batch, _: _apply(batch, "cdc.streamed"))
    query.option("checkpointLocation", f"{folder}/checkpoint").start().awaitTermination()
    return [list(row) for row in spark.table("cdc.streamed").orderBy("id", "__START_AT").collect()]


def _refusal(spark: SparkSession) -> str:
    try:
        _apply(spark.createDataFrame([(None, 1, "x", "u")], _SCHEMA), "cdc.streamed")
    except RejectedBatchError as error:
        return str(error)
    return ""


def main(folder: str, kinds: list[str]) -> None:
    warnings.simplefilter("ignore", TiedEventsWarning)
    spark = _session()
    spark.sql(f"CREATE SCHEMA cdc LOCATION 'file:{folder}/cdc'")
    told = {kind: _told(spark, number, kind) for number, kind in enumerate(kinds)}
    answer = {"told": told, "streamed": _streamed(spark, folder), "refusal": _refusal(spark)}
    print(json.dumps(answer))  # noqa: T201 - the answer
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
