"""The declared lineage of columns, held against the plans that Spark analyses."""

import pytest
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from spark_jobs.lineage.columns import COLUMNS, ColumnLineage, Source
from spark_jobs.segmentation.features import FEATURES
from spark_jobs.tables import (
    AUDIENCES,
    BOOKS_HISTORY,
    CAMPAIGN_RESULTS,
    CUSTOMERS,
    DRIFT,
    KMEANS_MODELS,
    ORDER_LINE_ITEMS,
    ORDERS,
    REPORTS,
    RFM,
    SEGMENT_PROFILES,
    VALUE_MODELS,
    all_tables,
    types,
)
from spark_jobs.transforms.comparisons import cells
from spark_jobs.transforms.purchases import held_out
from spark_jobs.transforms.responses import responses
from tests.spark_jobs.lineage.made import DAY, days_of_purchases, lineages
from tests.spark_jobs.lineage.plans import empty, lineage_of

READ_IN_PYTHON: frozenset[Source] = frozenset({(KMEANS_MODELS, "model"), (RFM, "lookback_days")})
"""What jobs collect, so that plans show its values and not where they come from."""


def without(lineage: ColumnLineage, known: frozenset[Source]) -> ColumnLineage:
    columns = {name: sources - known for name, sources in lineage.columns.items()}
    return ColumnLineage({name: sources for name, sources in columns.items() if sources}, lineage.rows - known)


@pytest.mark.full
def test_what_is_declared_is_what_the_plans_say(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = lineages(spark, monkeypatch)
    declared = {table.full_name: without(COLUMNS[table], READ_IN_PYTHON) for table in planned}
    assert declared == {table.full_name: without(lineage, READ_IN_PYTHON) for table, lineage in planned.items()}


def test_what_is_fitted_comes_from_what_it_is_fitted_to(spark: SparkSession) -> None:
    features = frozenset((RFM, name) for name in FEATURES)
    assert COLUMNS[KMEANS_MODELS].columns["model"] == features
    assert COLUMNS[SEGMENT_PROFILES].columns["monetary"] == features
    fitted = lineage_of(held_out(days_of_purchases(spark), DAY, 90))
    assert COLUMNS[VALUE_MODELS] == from_all(fitted, COLUMNS[VALUE_MODELS])
    bought = lineage_of(responses(*(empty(spark, table) for table in (AUDIENCES, CUSTOMERS, ORDERS)), days=30))
    assert COLUMNS[CAMPAIGN_RESULTS] == from_all(bought, COLUMNS[CAMPAIGN_RESULTS])
    compared = lineage_of(cells(empty(spark, RFM), None, features=FEATURES, earlier=DAY))
    assert compared.columns["customers"] | compared.rows <= COLUMNS[DRIFT].columns["psi"] | COLUMNS[DRIFT].rows


def from_all(read: ColumnLineage, like: ColumnLineage) -> ColumnLineage:
    """Columns computed in Python from all that was read."""
    everything = read.rows.union(*read.columns.values())
    return ColumnLineage(dict.fromkeys(like.columns, everything), read.rows)


def test_all_tables_of_silver_and_gold_but_the_page_are_declared() -> None:
    layers = [table for table in all_tables() if table.layer in ("silver", "gold")]
    assert set(COLUMNS) == set(layers) - {REPORTS}


def test_what_is_declared_exists() -> None:
    for table, lineage in COLUMNS.items():
        assert set(lineage.columns) <= set(types(table.columns)), table.full_name
        for source, name in lineage.rows.union(*lineage.columns.values()):
            assert name in types(source.columns), f"{source.full_name}.{name}"


@pytest.fixture
def orders(spark: SparkSession) -> DataFrame:
    return empty(spark, ORDERS)


def of(*names: str) -> frozenset[Source]:
    return frozenset((ORDERS, name) for name in names)


def test_a_value_comes_from_all_that_its_expression_names(orders: DataFrame) -> None:
    worth = F.when(F.col("status") == "cancelled", F.lit(0)).otherwise(F.col("net_amount") * 2)
    rows = orders.withColumn("worth", worth).select("worth", F.lit(1).alias("one"), F.upper("currency").alias("in"))
    assert lineage_of(rows) == ColumnLineage({"worth": of("status", "net_amount"), "in": of("currency")})


def test_filters_and_groups_decide_about_rows_and_a_count_comes_from_them(orders: DataFrame) -> None:
    rows = (
        orders.where("version > 1").groupBy("customer_id").agg(F.count("*").alias("n"), F.max("ordered_at").alias("at"))
    )
    deciding = of("version", "customer_id")
    assert lineage_of(rows) == ColumnLineage(
        {"customer_id": of("customer_id"), "n": deciding, "at": of("ordered_at")}, deciding
    )


def test_a_window_decides_about_a_number_and_not_about_a_sum(orders: DataFrame) -> None:
    window = Window.partitionBy("customer_id").orderBy("ordered_at")
    rows = orders.select(
        F.row_number().over(window).alias("place"), (F.sum("net_amount").over(window) * 2).alias("so_far")
    )
    deciding = of("customer_id", "ordered_at")
    assert lineage_of(rows) == ColumnLineage({"place": deciding, "so_far": of("net_amount")}, deciding)


def test_a_table_that_is_joined_with_itself_is_known_twice(orders: DataFrame) -> None:
    newest = orders.groupBy("customer_id").agg(F.max("version").alias("newest"))
    rows = orders.join(newest, "customer_id").select("order_id", "newest")
    assert lineage_of(rows) == ColumnLineage({"order_id": of("order_id"), "newest": of("version")}, of("customer_id"))


def test_what_is_stacked_comes_from_both(spark: SparkSession, orders: DataFrame) -> None:
    lines = empty(spark, ORDER_LINE_ITEMS).join(empty(spark, CUSTOMERS), "customer_id", "left_semi").select("title")
    rows = orders.select("status").union(lines).union(empty(spark, BOOKS_HISTORY).select("isbn")).distinct()
    sources = frozenset({(ORDERS, "status"), (ORDER_LINE_ITEMS, "title"), (BOOKS_HISTORY, "isbn")})
    joined = frozenset({(CUSTOMERS, "customer_id"), (ORDER_LINE_ITEMS, "customer_id")})
    assert lineage_of(rows) == ColumnLineage({"status": sources}, sources | joined)


def test_an_array_that_becomes_rows(orders: DataFrame) -> None:
    rows = orders.select("order_id", F.explode("lines").alias("line")).select("order_id", "line.book_id")
    assert lineage_of(rows) == ColumnLineage({"order_id": of("order_id"), "book_id": of("lines")})
