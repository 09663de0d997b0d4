"""Change events of books to every version of each."""

from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from spark_jobs.errors import MissingTableError
from spark_jobs.jobs import upsert_books
from spark_jobs.lake import Lake
from spark_jobs.tables import BOOK_REVISIONS, BOOKS_CHANGES, BOOKS_HISTORY
from tests.spark_jobs.lakehouse import append
from tests.spark_jobs.lakehouse import book_change as change
from tests.spark_jobs.messages import local


def run(spark: SparkSession, lake: Lake) -> dict[str, Any]:
    return upsert_books.run(spark, upsert_books.Config(lake.root))


def history(spark: SparkSession, lake: Lake) -> list[tuple[str, int, int | None]]:
    """Title, start and end of each version, in order."""
    rows = lake.read(spark, BOOKS_HISTORY).orderBy("book_id", "__START_AT").collect()
    return [(row.title, row["__START_AT"].ts_ms, row["__END_AT"] and row["__END_AT"].ts_ms) for row in rows]


def test_every_version_is_kept_and_a_late_one_splits_an_interval(spark: SparkSession, lake: Lake) -> None:
    append(spark, lake, BOOKS_CHANGES, change("c", "A", 1_000), change("u", "B", 3_000), change("d", "B", 4_000))
    assert run(spark, lake) == {"rows": 2}
    assert history(spark, lake) == [("A", 1_000, 3_000), ("B", 3_000, 4_000)]

    tombstone = {"book_id": 5}
    append(spark, lake, BOOKS_CHANGES, tombstone, change("u", "late", 2_000), change("c", "C", 5_000))
    assert run(spark, lake) == {"rows": 4}
    versions = [("A", 1_000, 2_000), ("late", 2_000, 3_000), ("B", 3_000, 4_000), ("C", 5_000, None)]
    assert history(spark, lake) == versions

    view = spark.table("silver.books").orderBy("valid_from").select("title", "valid_from", "valid_to", "is_current")
    first, *_, last = view.collect()
    assert first == Row(
        title="A", valid_from=local("1970-01-01T00:00:01Z"), valid_to=local("1970-01-01T00:00:02Z"), is_current=False
    )
    assert last == Row(title="C", valid_from=local("1970-01-01T00:00:05Z"), valid_to=None, is_current=True)

    revisions = lake.read(spark, BOOK_REVISIONS).select("book_id", "since_ms").orderBy("since_ms").collect()
    assert revisions == [Row(book_id=5, since_ms=1_000), Row(book_id=5, since_ms=2_000)]


def test_without_bronze_the_error_says_what_is_missing(spark: SparkSession, lake: Lake) -> None:
    with pytest.raises(MissingTableError, match=r"bronze\.books_changes is required"):
        run(spark, lake)
