"""One workspace server for all of these tests: a cluster takes long to start."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.home import Home
from tests.localcloud.databricks.no_spark import install_java
from tests.localcloud.databricks.package_index import package_index
from tests.localcloud.databricks.server import Server, airflow_connection, new_server, prepared_server


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves out what thinks up a test for each route while it is collected, where none of these would be run."""
    is_left_out = collection_path.name == "test_any_request.py" and config.option.markexpr == "not full"
    return True if is_left_out else None


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with prepared_server(tmp_path_factory.mktemp("workspace")) as server:
        yield server


def light_server(folder: Path) -> Server:
    """A workspace whose clusters are up at once and have no Spark."""
    server = new_server(Home(folder / "home"))
    server.environment = {"PATH": f"{install_java(folder / 'bin')}:{os.environ['PATH']}"}
    return server


@pytest.fixture(scope="session")
def light(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running workspace whose clusters are up at once and have no Spark."""
    server = light_server(tmp_path_factory.mktemp("light"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    with package_index(tmp_path) as address:
        yield address


@pytest.fixture
def connection(workspace: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """`databricks_default`, as `localcloud env` exports it."""
    monkeypatch.setenv("AIRFLOW_CONN_DATABRICKS_DEFAULT", airflow_connection(workspace))
    return "databricks_default"
