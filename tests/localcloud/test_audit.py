from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import typer
from pyspark.sql import SparkSession

from localcloud import audit
from localcloud.audit import Partition, Query, Stored, fault, stored_rows
from localcloud.errors import LocalCloudError
from localcloud.home import Home

ORDERS = "bookstore.orders"
OFFSETS = "topic, partition, offset"
BATCHES = "topic, partition, last_offset, missing_offsets, missing_reason"


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Iterator[SparkSession]:
    """The lake's schemas, with no table in them."""
    for layer in ("bronze", "ops"):
        spark.sql(f"CREATE SCHEMA {layer} LOCATION 'file:{tmp_path}/{layer}'")
    yield spark
    for layer in ("bronze", "ops"):
        spark.sql(f"DROP SCHEMA {layer} CASCADE")


def asked(spark: SparkSession) -> Query:
    return lambda statement: spark.sql(statement).toArrow()


def store(spark: SparkSession, table: str, columns: str, *rows: str) -> None:
    spark.sql(f"CREATE TABLE {table} USING parquet AS SELECT * FROM VALUES {', '.join(rows)} AS stored({columns})")


@pytest.mark.parametrize(
    ("produced", "stored"),
    [
        (0, Stored()),
        (10, Stored(bronze=10, offsets=10, reached=10)),
        (10, Stored(bronze=7, quarantine=2, offsets=9, explained=1, reached=10)),
    ],
)
def test_what_adds_up_has_no_fault(produced: int, stored: Stored) -> None:
    assert fault(produced, stored) is None


@pytest.mark.parametrize(
    ("produced", "stored", "found"),
    [
        (10, Stored(), "10 offsets wait: trigger the DAG ingest_events"),
        (10, Stored(bronze=6, offsets=6, reached=6), "4 offsets wait: trigger the DAG ingest_events"),
        (10, Stored(bronze=9, offsets=9, reached=10), "1 offsets without row and reason: "),
        (10, Stored(bronze=5, offsets=5, reached=6), "1 offsets without row and reason: "),
        (10, Stored(bronze=10, quarantine=1, offsets=10, reached=10), "1 rows repeat an offset: "),
        (10, Stored(bronze=12, offsets=12, reached=12), "2 offsets more than Kafka has given out: "),
        (10, Stored(bronze=10, offsets=10, explained=1, reached=10), "1 offsets more than Kafka has given out: "),
    ],
)
def test_each_fault_is_told(produced: int, stored: Stored, found: str) -> None:
    told = fault(produced, stored)
    assert told is not None
    assert told.startswith(found)


def test_a_lake_without_tables_has_nothing(lake: SparkSession) -> None:
    assert stored_rows(asked(lake)) == {}


def test_rows_are_counted_by_partition(lake: SparkSession) -> None:
    orders, books = "('bookstore.orders', {}, {})", "('bookstore.books', {}, {})"
    readable = [orders.format(*place) for place in [(0, 0), (0, 1), (0, 1), (1, 0)]]
    broken = [orders.format(0, 1), orders.format(0, 2), books.format(0, 0)]
    batch = "('bookstore.orders', {}, {}, {}, {})"
    batches = [batch.format(0, 1, 0, "null"), batch.format(0, 9, 7, "'compaction'"), batch.format(1, 4, 4, "null")]
    store(lake, "bronze.order_events", OFFSETS, *readable)
    store(lake, "bronze.quarantine", OFFSETS, *broken)
    store(lake, "ops.ingest_audit", BATCHES, *batches)
    assert stored_rows(asked(lake)) == {
        Partition(ORDERS, 0): Stored(bronze=3, quarantine=2, offsets=3, explained=7, reached=10),
        Partition(ORDERS, 1): Stored(bronze=1, offsets=1, explained=0, reached=5),
        Partition("bookstore.books", 0): Stored(quarantine=1, offsets=1),
    }


def run(home: Home, monkeypatch: pytest.MonkeyPatch, produced: int, stored: Mapping[Partition, Stored]) -> None:
    """The command, with these answers from Kafka and from the lake."""
    monkeypatch.setattr(audit, "produced_offsets", lambda _servers: {Partition(ORDERS, 0): produced})
    monkeypatch.setattr(audit, "stored_rows", lambda _ask: stored)
    audit.audit(home.root)


def test_all_is_well(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run(home, monkeypatch, 1_200, {Partition(ORDERS, 0): Stored(bronze=1_200, offsets=1_200, reached=1_200)})
    assert capsys.readouterr().out.splitlines()[-1] == "Every event, exactly once."


def test_a_fault_is_an_exit_code(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as exit_:
        run(home, monkeypatch, 1_200, {})
    assert exit_.value.exit_code == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 1 partitions don't add up."


def test_without_a_cloud_there_is_nothing_to_audit(tmp_path: Path) -> None:
    with pytest.raises(
        LocalCloudError, match=r"a local cloud is required in .*, and there is none: run `localcloud up`"
    ):
        audit.audit(tmp_path)


def test_without_kafka_the_audit_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "ANSWER_SECONDS", 1)
    with pytest.raises(LocalCloudError, match=r"a Kafka broker is required at 127\.0\.0\.1:1, and it did not answer"):
        audit.produced_offsets("127.0.0.1:1")
