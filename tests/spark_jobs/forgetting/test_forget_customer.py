"""A customer who asks to be forgotten: nothing is left of them in any file, and nothing brings them back."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from spark_jobs.errors import ArgumentError
from spark_jobs.forgetting.holdings import Holding
from spark_jobs.jobs import forget_customer, maintain_tables, merge_customers, replay_quarantine
from spark_jobs.lake import Lake
from spark_jobs.tables import (
    AUDIENCES,
    CUSTOMER_ORDERS,
    CUSTOMERS,
    CUSTOMERS_CHANGES,
    ERASURES,
    FORGOTTEN_CUSTOMERS,
    ORDER_EVENTS,
    ORDER_LINE_ITEMS,
    ORDERS,
    QUARANTINE,
    RFM,
    Table,
)
from tests.spark_jobs.bookstore import rfm_row
from tests.spark_jobs.forgetting import shop
from tests.spark_jobs.forgetting.shop import ANN, BEN
from tests.spark_jobs.lakehouse import append

RECEIPT = {
    "bronze.customers_changes": 3,
    "bronze.order_events": 6,
    "bronze.quarantine": 3,
    "gold.audiences": 1,
    "gold.customer_orders": 1,
    "gold.rfm": 1,
    "silver.customers": 1,
    "silver.customers__cdc": 1,
    "silver.order_lines": 2,
    "silver.orders": 2,
    "silver.orders__cdc": 2,
}


@pytest.fixture
def readable(spark: SparkSession) -> Iterator[SparkSession]:
    """A session whose files hold their values as they are, so that a search of their bytes finds them."""
    spark.conf.set("spark.sql.parquet.compression.codec", "uncompressed")
    yield spark
    spark.conf.unset("spark.sql.parquet.compression.codec")


def forget(spark: SparkSession, lake: Lake, **arguments: Any) -> dict[str, Any]:
    arguments = {"alone": True} | arguments
    return dict(forget_customer.run(spark, forget_customer.Config(lake.root, ANN, ANN, **arguments)))


def offsets(spark: SparkSession, lake: Lake) -> list[tuple[str, int]]:
    tables = (CUSTOMERS_CHANGES, ORDER_EVENTS, QUARANTINE)
    rows = [row for table in tables for row in lake.read(spark, table).select("topic", "offset").collect()]
    return sorted((row.topic, row.offset) for row in rows)


def holders(lake: Lake) -> set[str]:
    """The tables and other folders that have anything of hers in a file."""
    return {folder.split("/__PART=")[0].split("/snapshot_date=")[0] for folder in shop.files_with(lake)}


def forget_and_check(spark: SparkSession, lake: Lake) -> dict[str, Any]:
    """Forgets her: no file has anything of hers, and every offset is in its place, with nothing in it."""
    arrived = offsets(spark, lake)
    result = forget(spark, lake)
    assert shop.files_with(lake) == set()
    assert offsets(spark, lake) == arrived
    assert _blanks(spark, lake) == {"customers_changes": 3, "order_events": 6, "quarantine": 3}
    return result


def others(spark: SparkSession, lake: Lake) -> dict[str, list[Row]]:
    """What the tables say about everybody else."""
    tables: tuple[Table, ...] = (CUSTOMERS, ORDERS, ORDER_LINE_ITEMS, CUSTOMER_ORDERS, RFM, AUDIENCES)
    rows = {table.name: lake.read(spark, table).where(f"NOT customer_id <=> {ANN}").collect() for table in tables}
    return {name: sorted(found, key=str) for name, found in rows.items()}


def test_nothing_is_left_of_what_arrived_and_every_offset_is_in_its_place(readable: SparkSession, lake: Lake) -> None:
    shop.ingest(readable, lake, 0)
    merge_customers.run(readable, merge_customers.Config(lake.root))
    assert holders(lake) >= {"bronze/customers_changes", "bronze/quarantine", "silver/customers__cdc"}

    result = forget_and_check(readable, lake)

    reached = {name: RECEIPT[name] for name in RECEIPT if name.startswith(("bronze.", "silver.customers"))}
    assert (result["erased"], result["is_complete"]) == (reached, True)
    assert [row.customer_id for row in lake.read(readable, CUSTOMERS).collect()] == [BEN]


@pytest.mark.full
def test_nothing_is_left_in_any_file_once_all_jobs_have_run(readable: SparkSession, lake: Lake) -> None:
    shop.fill(readable, lake)
    before = others(readable, lake)
    assert not {folder for folder in shop.files_with(lake) if "_delta_log" in folder}
    assert holders(lake) > {
        "bronze/customers_changes",
        "bronze/quarantine",
        "silver/customers__cdc",
        "gold/rfm",
        "audiences/spring/2026-01-31/csv",
        "audiences/spring/2026-01-31/parquet",
    }

    result = forget_and_check(readable, lake)

    assert (result["erased"], result["rows"], result["is_complete"]) == (RECEIPT, sum(RECEIPT.values()), True)
    assert others(readable, lake) == before
    csv = readable.read.option("header", True).csv(f"{lake.root}/audiences/spring/2026-01-31/csv").collect()
    assert [row.email for row in csv] == [f"{BEN}@example.org"]

    shop.ingest(readable, lake, 1, shop.THE_SAME_AGAIN)
    assert shop.files_with(lake) == set()
    # A guest's version of an order names nobody.
    assert _blanks(readable, lake) == {"customers_changes": 6, "order_events": 11, "quarantine": 5}


@pytest.mark.full
def test_a_run_that_died_is_repeated_and_nothing_brings_the_customer_back(
    readable: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill(readable, lake)
    before = others(readable, lake)
    for holder in ("bronze.customers_changes", "silver.customers__cdc", "silver.customers", "gold.audiences"):
        _die_after(monkeypatch, holder)
        with pytest.raises(RuntimeError, match="the power went out"):
            forget(readable, lake)
        monkeypatch.undo()
    assert forget(readable, lake, alone=False)["erased"] == RECEIPT
    assert _completed(readable, lake) == [None]
    assert others(readable, lake) == before

    # A job that had read the customer before writes them after.
    append(readable, lake, RFM, rfm_row(shop.D + dt.timedelta(days=1), ANN, 1, 1, "1.00"))
    maintain_tables.run(readable, maintain_tables.Config(lake.root))
    assert lake.read(readable, RFM).where(f"customer_id = {ANN}").isEmpty()
    assert _completed(readable, lake) == [None]  # their files are younger than a day

    shop.ingest(readable, lake, 1, shop.THE_SAME_AGAIN)
    replay_quarantine.run(readable, replay_quarantine.Config(lake.root, currency="USD"))
    shop.refresh(readable, lake)
    assert forget(readable, lake)["erased"] == {**RECEIPT, "gold.rfm": 2}
    assert shop.files_with(lake) == set()
    assert {row.customer_id for row in lake.read(readable, CUSTOMERS).collect()} == {BEN}
    # A guest's version of an order comes again as a guest's.
    assert {(row.order_id, row.customer_id) for row in lake.read(readable, ORDERS).collect()} == {
        ("O-2", BEN),
        ("O-3", None),
        ("O-4", BEN),
    }
    assert _completed(readable, lake) != [None]


def _completed(spark: SparkSession, lake: Lake) -> list[Any]:
    return [row.completed_at for row in lake.read(spark, FORGOTTEN_CUSTOMERS).collect()]


def _die_after(monkeypatch: pytest.MonkeyPatch, holder: str) -> None:
    erase = Holding.erase

    def erase_and_die(holding: Holding) -> None:
        erase(holding)
        if holding.holder == holder:
            raise RuntimeError("the power went out")

    monkeypatch.setattr(Holding, "erase", erase_and_die)


def _blanks(spark: SparkSession, lake: Lake) -> dict[str, int]:
    tables = (CUSTOMERS_CHANGES, ORDER_EVENTS, QUARANTINE)
    return {table.name: lake.read(spark, table).where("key IS NULL AND length(value) = 0").count() for table in tables}


@pytest.mark.full
def test_a_customer_whom_the_lake_never_saw_is_kept_out_too(readable: SparkSession, lake: Lake) -> None:
    assert forget(readable, lake)["erased"] == {}
    shop.ingest(readable, lake, 0, shop.THE_SAME_AGAIN)
    assert shop.files_with(lake) == set()
    assert lake.read(readable, ERASURES).count() == 0


def test_the_id_has_to_be_given_twice() -> None:
    with pytest.raises(ArgumentError, match="--confirm must be the customer_id once more, found 18 for 17"):
        forget_customer.Config("file:/nowhere", 17, 18)
