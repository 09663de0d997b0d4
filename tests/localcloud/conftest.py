"""A home to test with, and programs run for the length of a test."""

from pathlib import Path

import pytest

from localcloud import certificates
from localcloud.home import Home


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with ports, secrets and certificates; nothing runs in it."""
    home = Home(tmp_path_factory.mktemp("home") / "localcloud")
    home.create()
    certificates.create(home)
    return home


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parents[2]
