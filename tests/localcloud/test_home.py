"""A home is made once, and is nobody else's."""

import json
import stat
from pathlib import Path

import pytest

from localcloud.errors import LocalCloudError
from localcloud.home import FOLDERS, PORTS, SECRET_NAMES, Home, write_private


@pytest.fixture
def fresh(tmp_path: Path) -> Home:
    home = Home(tmp_path / "deep" / "home")
    home.create()
    return home


def test_only_the_owner_can_look_inside(fresh: Home) -> None:
    folders = [fresh.root, *(fresh.root / name for name in FOLDERS)]
    files = [fresh.root / "ports.json", *(fresh.secrets / name for name in SECRET_NAMES)]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_every_service_has_a_port_of_its_own(fresh: Home) -> None:
    assert fresh.ports().keys() == set(PORTS)
    assert len(set(fresh.ports().values())) == len(PORTS)


def test_a_second_creation_changes_nothing(fresh: Home) -> None:
    before = {path: path.read_bytes() for path in fresh.root.rglob("*") if path.is_file()}
    fresh.create()
    assert {path: path.read_bytes() for path in fresh.root.rglob("*") if path.is_file()} == before


def test_two_homes_share_no_secret(fresh: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    other.create()
    assert all(fresh.secret(name) != other.secret(name) for name in SECRET_NAMES)


def test_a_port_that_is_given_is_used_and_remembered(fresh: Home) -> None:
    before = fresh.ports()
    fresh.create({"kafka": 19092})
    fresh.create()
    assert fresh.ports() == before | {"kafka": 19092}


def test_a_port_for_an_unknown_service_is_refused(fresh: Home) -> None:
    with pytest.raises(LocalCloudError) as raised:
        fresh.create({"zookeeper": 2181})
    assert str(raised.value) == (
        "A port is for one of airflow, azurite, identity, kafka, kafka-controller, key-vault, workspace; "
        "found zookeeper"
    )


def test_a_home_that_lacks_something_gets_it(fresh: Home) -> None:
    """As after an upgrade that brought a new service and a new secret."""
    ports = fresh.ports()
    kept = {service: port for service, port in ports.items() if service != "identity"}
    write_private(fresh.root / "ports.json", json.dumps(kept))
    (fresh.secrets / "identity-header").unlink()
    fresh.create()
    assert fresh.ports().keys() == set(PORTS)
    assert kept.items() <= fresh.ports().items()
    assert len(fresh.secret("identity-header")) == 43


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old, for everybody")
    write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
