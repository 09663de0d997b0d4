"""Fixtures of the change data capture tests."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

_NUMBERS = itertools.count()
_INTERPRETING = {
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


@pytest.fixture(scope="session")
def interpreting(spark: SparkSession) -> SparkSession:
    """A session for many calls on a few rows, most of whose cost is generated code and second plans.

    The tests of the law, which are about the values, run with both.
    """
    session = spark.newSession()
    for setting, value in _INTERPRETING.items():
        session.conf.set(setting, value)
    return session


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
