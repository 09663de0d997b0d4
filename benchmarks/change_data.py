"""Change data capture beside a bare MERGE."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.harness import Benchmark
from spark_jobs.auto_cdc import apply_changes
from spark_jobs.session import get_session

ROWS = 10_000
CHANGES = 1_000


def benchmarks() -> Iterator[Benchmark]:
    """A small batch, where the fixed cost of each statement rules."""
    spark = get_session()
    with tempfile.TemporaryDirectory() as folder:
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS bench LOCATION '{Path(folder).as_uri()}'")
        yield _small_batch(spark)
        spark.sql("DROP SCHEMA bench CASCADE")
    spark.stop()


def _small_batch(spark: SparkSession) -> Benchmark:
    _events(spark, 0, ROWS).select("id", "name", "city").write.format("delta").saveAsTable("bench.merged")
    apply_changes(spark, target="bench.applied", source=_events(spark, 0, ROWS), keys=["id"], sequence_by="sequence")

    def ours(number: int) -> None:
        batch = _events(spark, number + 1, CHANGES)
        apply_changes(spark, target="bench.applied", source=batch, keys=["id"], sequence_by="sequence")

    def bare_merge(number: int) -> None:
        _events(spark, number + 1, CHANGES).createOrReplaceTempView("batch")
        spark.sql(
            "MERGE INTO bench.merged AS target USING batch ON target.id = batch.id "
            "WHEN MATCHED THEN UPDATE SET name = batch.name, city = batch.city "
            "WHEN NOT MATCHED THEN INSERT (id, name, city) VALUES (batch.id, batch.name, batch.city)"
        )

    title = f"SCD type 1: {CHANGES:,} events onto {ROWS:,} rows"
    return Benchmark(title, {"apply_changes": ours, "bare MERGE (no late events, no deletes)": bare_merge})


def _events(spark: SparkSession, version: int, rows: int) -> DataFrame:
    return spark.range(rows).select(
        "id",
        F.concat(F.lit(f"name {version} "), F.col("id")).alias("name"),
        F.concat(F.lit("city "), F.col("id") % 100).alias("city"),
        F.lit(version).cast("bigint").alias("sequence"),
    )
