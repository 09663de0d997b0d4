"""Messages in quarantine once more: after better rules, or with values that a person repaired."""

import datetime as dt
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.bronze import readable_rows
from spark_jobs.caching import cached
from spark_jobs.entry import run_job
from spark_jobs.forgetting.blanks import FORGOTTEN, screened
from spark_jobs.forgetting.register import read_register
from spark_jobs.lake import Lake
from spark_jobs.repairs import MOVED, record_moves, repaired
from spark_jobs.schema_changes import read_changes_seen
from spark_jobs.tables import ARRIVAL, INGEST_AUDIT, OFFSET, QUARANTINE, REPAIRS, SCHEMA_CHANGES, Table, types
from spark_jobs.topics import TOPICS, read_topics
from spark_jobs.transforms.new_fields import added_columns

STEP = "replay_quarantine"
_PAYLOAD = ("key", "value")


@dataclass(frozen=True)
class Config:
    """Arguments of the job.

    Attributes:
        currency: The only one that orders may have.
        topic: Only this topic's messages; empty: all.
        reason_code: Only those under this reason; empty: all.
    """

    lake_root: str
    catalog: str = ""
    currency: str = "EUR"
    topic: str = ""
    reason_code: str = ""


def run(spark: SparkSession, config: Config) -> dict[str, Any]:
    """Moves what can be read now to bronze; the rest stays, under the newest reason.

    First the rows go to bronze, then they leave quarantine, then the move is accounted for. Whoever is killed in
    between leaves a message in both: repeated, the job writes only what bronze lacks, and finishes.
    """
    lake = Lake(config.lake_root, config.catalog)
    lake.create(spark, *TOPICS.values(), QUARANTINE, INGEST_AUDIT, REPAIRS, SCHEMA_CHANGES)
    seen = read_changes_seen(spark, lake)
    with ExitStack() as caches:
        read = cached(_read_again(spark, lake, config), caches)
        outcomes = read.select(*OFFSET, *MOVED)
        tried = {row.topic: row for row in _count(outcomes)}
        for topic, row in tried.items():
            if row.good:
                _append(spark, lake, TOPICS[topic], readable_rows(read, topic, seen))
        if tried:
            _leave_quarantine(spark, lake, outcomes)
    record_moves(spark, lake, dt.datetime.now(dt.UTC))
    moved = sum(row.good for row in tried.values())
    return {"rows": moved, "still_quarantined": sum(row.tried for row in tried.values()) - moved}


def _read_again(spark: SparkSession, lake: Lake, config: Config) -> DataFrame:
    """What is read of the messages now."""
    topics = [config.topic] if config.topic else list(TOPICS)
    quarantine = lake.read(spark, QUARANTINE).where(F.col("topic").isin(topics) & (F.col("reason_code") != FORGOTTEN))
    if config.reason_code:
        quarantine = quarantine.where(F.col("reason_code") == config.reason_code)
    messages = repaired(quarantine.select(*types(ARRIVAL)), lake.read(spark, REPAIRS))
    read = read_topics({topic: messages.where(F.col("topic") == topic) for topic in topics}, config.currency)
    return screened(read, read_register(spark, lake))


def _count(outcomes: DataFrame) -> list[Any]:
    is_good = F.col("reason_code").isNull()
    return outcomes.groupBy("topic").agg(F.count("*").alias("tried"), F.count_if(is_good).alias("good")).collect()


def _append(spark: SparkSession, lake: Lake, table: Table, readable: DataFrame) -> None:
    """Appends what isn't there: the rows of a run that was killed are."""
    known = lake.read(spark, table).select(*OFFSET)
    new = readable.join(known, list(OFFSET), "left_anti").join(_as_arrived(spark, lake), list(OFFSET))
    # Their columns are those of the repaired message; key and value stay as they arrived, unless they were blanked.
    is_blank = F.length("value") == 0
    new = new.withColumns({name: F.when(is_blank, F.col(name)).otherwise(F.col(f"old_{name}")) for name in _PAYLOAD})
    new = new.select(*types(table.columns), *added_columns(readable, table))
    new.write.format("delta").mode("append").option("mergeSchema", "true").save(lake.path(table))


def _as_arrived(spark: SparkSession, lake: Lake) -> DataFrame:
    return lake.read(spark, QUARANTINE).select(*OFFSET, *[F.col(name).alias(f"old_{name}") for name in _PAYLOAD])


def _leave_quarantine(spark: SparkSession, lake: Lake, outcomes: DataFrame) -> None:
    same_offset = " AND ".join(f"quarantined.{name} = outcome.{name}" for name in OFFSET)
    is_new = "NOT (quarantined.reason_code <=> outcome.reason_code AND quarantined.reason <=> outcome.reason)"
    outcomes.createOrReplaceTempView("replayed_outcomes")
    spark.sql(f"""
        MERGE INTO {lake.name(QUARANTINE)} AS quarantined USING replayed_outcomes AS outcome ON {same_offset}
        WHEN MATCHED AND outcome.reason_code IS NULL THEN DELETE
        WHEN MATCHED AND {is_new} THEN UPDATE SET reason_code = outcome.reason_code, reason = outcome.reason
    """)


def main(argv: Sequence[str] | None = None) -> None:
    run_job(STEP, Config, run, argv)


if __name__ == "__main__":
    main()
