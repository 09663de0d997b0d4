"""Fixtures that every test can use."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from spark_jobs.session import get_session


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A classic local session with Delta, started once."""
    session = get_session()
    yield session
    session.stop()
