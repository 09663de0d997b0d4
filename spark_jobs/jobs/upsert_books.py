"""Slowly changing dimension of type 2 on books: every version is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.auto_cdc import apply_changes
from spark_jobs.entry import run_job
from spark_jobs.lake import Lake
from spark_jobs.streams import drain, read_stream
from spark_jobs.tables import BOOK_REVISIONS, BOOK_ROW, BOOKS_CHANGES, BOOKS_HISTORY, BOOKS_VIEW, types
from spark_jobs.transforms.new_fields import added_columns

STEP = "upsert_books"


@dataclass(frozen=True)
class Config:
    lake_root: str
    catalog: str = ""


def run(spark: SparkSession, config: Config) -> dict[str, Any]:
    lake = Lake(config.lake_root, config.catalog)
    changes = read_stream(spark, lake, BOOKS_CHANGES).where("op IS NOT NULL")
    lake.create(spark, BOOKS_HISTORY, BOOK_REVISIONS)
    drain(changes, lake.checkpoint(STEP), partial(upsert_changes, lake=lake))
    create_view(spark, lake)
    return {"rows": lake.read(spark, BOOKS_HISTORY).count()}


def upsert_changes(changes: DataFrame, _batch_id: int, *, lake: Lake) -> None:
    """Applies a batch of change events, then says from when on which books may have been others.

    In this order: whoever reads of a revision finds it in the history. Cut short between the two, the batch comes
    again. A revision that stands twice costs a little work; one that is missing would leave order lines wrong for good.
    """
    apply_changes(
        changes.sparkSession,
        target=lake.name(BOOKS_HISTORY),
        source=changes.select(*types(BOOK_ROW), *added_columns(changes, BOOKS_CHANGES), "op", "sequence"),
        keys=["book_id"],
        sequence_by="sequence",
        apply_as_deletes="op = 'd'",
        except_column_list=["op", "sequence"],
        stored_as_scd_type=2,
    )
    revisions = changes.groupBy("book_id").agg(F.min("sequence.ts_ms").alias("since_ms"))
    revisions = revisions.withColumn("recorded_at", F.current_timestamp())
    revisions.write.format("delta").mode("append").save(lake.path(BOOK_REVISIONS))


def create_view(spark: SparkSession, lake: Lake) -> None:
    """Makes `silver.books`, by name only; anew each time, so that it has the columns that the history has gained."""
    spark.sql(f"""
        CREATE OR REPLACE VIEW {lake.qualified(BOOKS_VIEW)} AS
        SELECT * EXCEPT (__START_AT, __END_AT),
            timestamp_millis(__START_AT.ts_ms) AS valid_from,
            timestamp_millis(__END_AT.ts_ms) AS valid_to,
            __END_AT IS NULL AS is_current
        FROM {lake.name(BOOKS_HISTORY)}
    """)


def main(argv: Sequence[str] | None = None) -> None:
    run_job(STEP, Config, run, argv)


if __name__ == "__main__":
    main()
