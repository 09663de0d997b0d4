"""SCD type 2: every version of each key."""

from collections.abc import Callable

from delta.tables import DeltaTable
from mack import type_2_scd_upsert
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.events import ATTRIBUTES, CHANGED, CUSTOMERS, changes, latest, rows
from benchmarks.harness import Benchmark, apply, create

_NOW = 1_000
"""The sequence of the rows that are open; the closed ones came before."""


def short_history(spark: SparkSession) -> Benchmark:
    return _benchmark(spark, closed_versions=1)


def long_history(spark: SparkSession) -> Benchmark:
    return _benchmark(spark, closed_versions=10)


def late_events(spark: SparkSession) -> Benchmark:
    """Calls whose events all lie in the past, beside calls in order; each on a table of its own."""
    for table in ("bench.late", "bench.in_order"):
        create(_versions(spark, 10, "__START_AT", "__END_AT"), table)
    return Benchmark(
        f"type 2, 10,000,000 closed rows: {CHANGED:,} late events",
        {
            "late events": lambda number: apply(changes(spark, 501 + number), "bench.late", 2),
            "events in order": lambda number: apply(changes(spark, _NOW + 1 + number), "bench.in_order", 2),
        },
    )


def _benchmark(spark: SparkSession, closed_versions: int) -> Benchmark:
    create(_versions(spark, closed_versions, "__START_AT", "__END_AT"), "bench.applied")
    current = F.col("end_time").isNull().alias("is_current")
    create(_versions(spark, closed_versions, "effective_time", "end_time").select("*", current), "bench.merged")
    times = [F.timestamp_seconds(name).alias(name) for name in ("effective_time", "end_time")]
    with_times = spark.table("bench.merged").select("id", *ATTRIBUTES, "is_current", *times)
    create(with_times, "bench.mack")
    mack_table = DeltaTable.forName(spark, "bench.mack")

    def contender(call: Callable[[DataFrame], None]) -> Callable[[int], None]:
        return lambda number: call(changes(spark, _NOW + 1 + number))

    return Benchmark(
        f"type 2: {CHANGED:,} events onto {CUSTOMERS:,} open and {closed_versions * CUSTOMERS:,} closed rows",
        {
            "apply_changes": contender(lambda batch: apply(batch, "bench.applied", 2)),
            "Delta's MERGE recipe, deduplicated first": contender(lambda batch: merge_versions(batch, "bench.merged")),
            "mack.type_2_scd_upsert, deduplicated first": contender(
                lambda batch: type_2_scd_upsert(mack_table, _for_mack(batch), "id", list(ATTRIBUTES))
            ),
        },
    )


def _versions(spark: SparkSession, closed: int, start: str, end: str) -> DataFrame:
    """Each customer's closed rows, then the open one; files lie in the order in which the rows were written."""
    step = _NOW // closed
    starts = [*range(0, _NOW, step), _NOW]
    ends = [*starts[1:], None]
    versions = [
        rows(spark, begun).withColumns({start: F.lit(begun).cast("bigint"), end: F.lit(over).cast("bigint")})
        for begun, over in zip(starts, ends, strict=True)
    ]
    history = versions[0]
    for version in versions[1:]:
        history = history.unionByName(version)
    return history


def merge_versions(batch: DataFrame, target: str) -> None:
    """Delta's documented recipe: a changed key comes twice, once to close its open row and once to open the next."""
    last = latest(batch)
    table = batch.sparkSession.table(target).alias("target")
    is_changed = " OR ".join(f"target.{name} <> latest.{name}" for name in ATTRIBUTES)
    reopened = last.alias("latest").join(table, "id").where(f"target.is_current AND ({is_changed})")
    to_insert = reopened.select(F.lit(None).cast("bigint").alias("merge_key"), "latest.*")
    staged = to_insert.unionByName(last.select(F.col("id").alias("merge_key"), "*")).alias("staged")
    changed = " OR ".join(f"{target}.{name} <> staged.{name}" for name in ATTRIBUTES)
    values = {name: F.col(f"staged.{name}") for name in ("id", *ATTRIBUTES)}
    opened = {"effective_time": F.col("staged.sequence"), "end_time": F.lit(None), "is_current": F.lit(True)}
    staged.mergeInto(target, F.expr(f"{target}.id = staged.merge_key")).whenMatched(
        F.expr(f"{target}.is_current AND ({changed})")
    ).update({"is_current": F.lit(False), "end_time": F.col("staged.sequence")}).whenNotMatched().insert(
        values | opened
    ).merge()


def _for_mack(batch: DataFrame) -> DataFrame:
    return latest(batch).withColumn("effective_time", F.timestamp_seconds("sequence")).drop("sequence")
