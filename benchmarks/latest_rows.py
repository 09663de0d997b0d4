"""SCD type 1: the latest row of each key."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.events import CHANGED, CUSTOMERS, changes, latest, rows
from benchmarks.harness import Benchmark, apply, create

_SMALL_TABLE = 10_000
_SMALL_BATCH = 1_000


def small_batch(spark: SparkSession) -> Benchmark:
    """Where the fixed cost of each statement rules."""
    return _benchmark(spark, f"{_SMALL_BATCH:,} events onto {_SMALL_TABLE:,} rows", _SMALL_BATCH, _SMALL_TABLE)


def large_table(spark: SparkSession) -> Benchmark:
    """Where the bytes that are read and written rule."""
    return _benchmark(spark, f"{CHANGED:,} events onto {CUSTOMERS:,} rows", CHANGED, CUSTOMERS)


def _benchmark(spark: SparkSession, title: str, changed: int, count: int) -> Benchmark:
    for table in ("bench.applied", "bench.merged"):
        create(rows(spark, 0, count), table)

    def ours(number: int) -> None:
        apply(changes(spark, number + 1, changed, count), "bench.applied", 1)

    def recipe(number: int) -> None:
        merge_latest(changes(spark, number + 1, changed, count), "bench.merged")

    return Benchmark(f"type 1: {title}", {"apply_changes": ours, "Delta's MERGE, deduplicated first": recipe})


def merge_latest(batch: DataFrame, target: str) -> None:
    """Delta's documented upsert: the batch's last event of each key wins, whatever the table has seen before."""
    rows_of_batch = latest(batch).drop("sequence")
    merge = rows_of_batch.alias("batch").mergeInto(target, F.expr(f"{target}.id = batch.id"))
    merge.whenMatched().updateAll().whenNotMatched().insertAll().merge()
