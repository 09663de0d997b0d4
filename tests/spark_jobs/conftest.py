"""Fixtures of the jobs' tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from spark_jobs.lake import Lake
from tests.broker import Broker, running_broker
from tests.spark_jobs.lakehouse import forget_names


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def broker(kafka: Broker) -> Broker:
    """A running broker whose topics are empty."""
    kafka.empty()
    return kafka


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Iterator[Lake]:
    """An empty lake of the test's own; its tables' names are forgotten afterwards."""
    yield Lake(f"file:{tmp_path}/lake")
    forget_names(spark)
