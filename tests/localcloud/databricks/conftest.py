"""One workspace server for all of these tests: a cluster takes long to start."""

from collections.abc import Iterator

import pytest

from localcloud import certificates
from localcloud.home import Home
from tests.localcloud.databricks.server import Server


def new_server(home: Home) -> Server:
    home.create()
    certificates.create(home)
    return Server(home)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running workspace with the steps' wheel and the storage key in it."""
    server = new_server(Home(tmp_path_factory.mktemp("workspace") / "home"))
    server.start()
    try:
        server.prepare()
        yield server
    finally:
        server.stop()
