"""Fixtures of the change data capture tests."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

_NUMBERS = itertools.count()


@pytest.fixture
def schema(spark: SparkSession, tmp_path: Path) -> Iterator[str]:
    """The name of an empty schema of the test's own."""
    name = f"cdc_{next(_NUMBERS)}"
    spark.sql(f"CREATE SCHEMA {name} LOCATION 'file:{tmp_path}/{name}'")
    yield name
    spark.sql(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def target(schema: str) -> str:
    """The name of a table that doesn't exist yet."""
    return f"{schema}.target"
