from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from spark_jobs import conflicts
from spark_jobs.errors import MissingTableError
from spark_jobs.lake import Lake, table_properties
from spark_jobs.tables import CUSTOMERS, RFM, Table, types
from tests.spark_jobs.lakehouse import forget_names

_RUNS = 4


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(f"file:{tmp_path}/lake")


def test_a_created_table_is_found_by_path_and_by_name(spark: SparkSession, lake: Lake) -> None:
    spark.sql("DROP TABLE IF EXISTS gold.rfm")
    assert lake.create(spark, RFM) == [RFM]
    row = "date '2026-01-31', 1L, 365, 3, 2L, 10.50BD, 5, 4, 3, '543', 'Champions'"
    spark.sql(f"INSERT INTO gold.rfm VALUES ({row})")

    assert [r.rfm_score for r in lake.read(spark, RFM).collect()] == ["543"]
    spark.sql("DROP TABLE gold.rfm")


def test_creating_again_keeps_rows_and_columns_added_since(spark: SparkSession, lake: Lake) -> None:
    spark.sql("DROP TABLE IF EXISTS silver.customers")
    lake.create(spark, CUSTOMERS)
    spark.sql("ALTER TABLE silver.customers ADD COLUMN loyalty string")
    spark.sql("INSERT INTO silver.customers (customer_id, loyalty) VALUES (1, 'gold')")
    spark.sql("DROP TABLE silver.customers")  # forgets the name, as a restarted cluster does: the files stay

    assert lake.create(spark, CUSTOMERS) == []

    rows = spark.table("silver.customers").select("customer_id", "loyalty").collect()
    assert [tuple(row) for row in rows] == [(1, "gold")]
    spark.sql("DROP TABLE silver.customers")


def test_reading_a_table_that_nobody_wrote_says_which(spark: SparkSession, lake: Lake) -> None:
    with pytest.raises(MissingTableError, match=r"gold\.rfm is required at .* and does not exist yet"):
        lake.read(spark, RFM)


def test_a_catalog_goes_before_the_layer() -> None:
    assert Lake("abfss://c@a/lake", "main").name(RFM) == "main.gold.rfm"
    assert Lake("abfss://c@a/lake").name(RFM) == "gold.rfm"


def test_runs_that_create_the_same_table_at_once_all_find_it(spark: SparkSession, tmp_path: Path) -> None:
    at_once = Barrier(_RUNS)

    def create(lake: Lake) -> list[Table]:
        at_once.wait()
        return lake.create(spark, RFM)

    with ThreadPoolExecutor(_RUNS) as pool:
        for number in range(3):
            forget_names(spark)
            lake = Lake(f"file:{tmp_path}/{number}")
            made = list(pool.map(create, [lake] * _RUNS))
            assert [RFM] in made
            assert lake.read(spark, RFM).collect() == []
    forget_names(spark)


@pytest.mark.parametrize("table", [CUSTOMERS, RFM], ids=["whole", "partitioned"])
def test_who_dies_before_the_first_commit_leaves_a_folder_that_the_next_run_takes(
    spark: SparkSession, lake: Lake, table: Table
) -> None:
    spark.sql(f"DROP TABLE IF EXISTS {table.full_name}")
    Path(f"{lake.path(table).removeprefix('file:')}/_delta_log").mkdir(parents=True)

    assert lake.create(spark, table) == [table]

    detail = spark.sql(f"DESCRIBE DETAIL {table.full_name}").collect()[0]
    assert detail["location"] == lake.path(table)
    assert tuple(detail["partitionColumns"]) == table.partitioned_by
    assert table_properties(table).items() <= detail["properties"].items()
    assert [(f.name, f.dataType.simpleString()) for f in spark.table(table.full_name).schema] == list(
        types(table.columns).items()
    )
    assert lake.read(spark, table).count() == 0
    spark.sql(f"DROP TABLE {table.full_name}")


def test_somebody_elses_files_are_not_taken_for_what_a_dead_run_left(
    spark: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflicts, "_PAUSE_SECONDS", 0)
    spark.sql("DROP TABLE IF EXISTS gold.rfm")
    spark.range(3).write.parquet(lake.path(RFM))
    with pytest.raises(AnalysisException, match="DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION"):
        lake.create(spark, RFM)
    assert spark.read.parquet(lake.path(RFM)).count() == 3
