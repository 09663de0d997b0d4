"""A cloud's state kept under a name, put back, and emptied."""

from collections.abc import Callable
from pathlib import Path

import pytest

from localcloud import lifecycle, supervision
from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.recordings import record, reset, restore
from tests.cloud import Cloud


@pytest.fixture
def played(tmp_path: Path) -> Home:
    """A home in which something has happened."""
    home = Home(tmp_path / "cloud")
    home.create()
    (home.data("kafka") / "log").write_text("monday")
    (home.workspace / "runs").mkdir()
    (home.workspace / "runs" / "1").write_text("SUCCESS")
    (home.run / "supervisor.conf").write_text("of this start")
    return home


def state(home: Home) -> dict[str, bytes]:
    """Every file that belongs to the state, by its path."""
    parts = (path for path in home.root.iterdir() if path.name not in {"recordings", "run"})
    files = (file for part in parts for file in ([part] if part.is_file() else part.rglob("*")) if file.is_file())
    return {str(file.relative_to(home.root)): file.read_bytes() for file in files}


def test_what_was_recorded_comes_back_and_what_came_since_goes(played: Home) -> None:
    before = state(played)
    record(played, "monday")
    (played.data("kafka") / "log").write_text("tuesday")
    (played.workspace / "runs" / "2").write_text("FAILED")
    played.renew_storage_key()

    restore(played, "monday")

    assert state(played) == before
    assert (played.run / "supervisor.conf").read_text() == "of this start"
    assert (played.secrets / "storage-key").stat().st_mode & 0o077 == 0


def test_a_recording_is_replaced_and_holds_no_other(played: Home) -> None:
    record(played, "one")
    (played.data("kafka") / "log").write_text("tuesday")
    folder = record(played, "one")
    assert (folder / "kafka" / "log").read_text() == "tuesday"
    assert not (folder / "recordings").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["one"]


def test_an_emptied_cloud_is_known_by_the_same_ports_tokens_and_certificates(played: Home) -> None:
    record(played, "monday")
    identity = {
        name: content for name, content in state(played).items() if name.startswith(("ports", "secrets", "tls"))
    }
    reset(played)
    assert state(played) == identity
    restore(played, "monday")
    assert (played.workspace / "runs" / "1").read_text() == "SUCCESS"


def test_a_recording_that_there_is_not_is_named_beside_those_that_there_are(played: Home) -> None:
    record(played, "monday")
    before = state(played)
    with pytest.raises(LocalCloudError, match=r"tuesday is not one; there are: monday$"):
        restore(played, "tuesday")
    assert state(played) == before


@pytest.mark.parametrize("name", ["../secrets", "", ".hidden", "a/b"])
def test_a_name_leads_nowhere_else(played: Home, name: str) -> None:
    with pytest.raises(LocalCloudError, match="A name of letters"):
        record(played, name)


def test_a_cloud_that_is_up_is_left_alone(played: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "is_running", lambda _: True)
    before = state(played)
    record_it: Callable[[Home], object] = lambda home: record(home, "x")  # noqa: E731
    for act in (reset, record_it):
        with pytest.raises(LocalCloudError, match="localcloud down"):
            act(played)
    assert state(played) == before


def test_one_that_is_being_started_is_left_alone(played: Home) -> None:
    with lifecycle.alone(played), pytest.raises(LocalCloudError, match="One command at a time"):
        reset(played)


def test_a_database_elsewhere_is_not_forgotten_silently(played: Home) -> None:
    (played.secrets / "airflow-database").write_text("postgresql://")
    with pytest.raises(LocalCloudError, match="pg_dump"):
        record(played, "half")


@pytest.mark.full
def test_a_real_cloud_goes_back_to_what_was_recorded(tmp_path: Path) -> None:
    cloud = Cloud(Home(tmp_path / "home"))
    cloud.localcloud("up")
    try:
        cloud.databricks().secrets.create_scope("of-monday")
        cloud.airflow("variables", "set", "day", "monday")
        between(cloud, "record", "monday")
        cloud.databricks().secrets.create_scope("of-tuesday")
        between(cloud, "reset")
        assert scopes(cloud) == []
        between(cloud, "restore", "monday")
        assert scopes(cloud) == ["of-monday"]
        assert cloud.airflow("variables", "get", "day").stdout.strip() == "monday"
    finally:
        cloud.localcloud("down")


def between(cloud: Cloud, *command: str) -> None:
    """Runs a command that wants the cloud to be down."""
    cloud.localcloud("down")
    cloud.localcloud(*command)
    cloud.localcloud("up")


def scopes(cloud: Cloud) -> list[str | None]:
    return [scope.name for scope in cloud.databricks().secrets.list_scopes()]
