"""Fixtures of the jobs' tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from spark_jobs.lake import Lake
from spark_jobs.tables import LAYERS


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Iterator[Lake]:
    """An empty lake of the test's own; its tables' names are forgotten afterwards."""
    yield Lake(f"file:{tmp_path}/lake")
    for layer in LAYERS:
        spark.sql(f"DROP SCHEMA IF EXISTS {layer} CASCADE")
