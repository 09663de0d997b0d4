"""Starting and stopping, with Supervisor and one real service: the Key Vault."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from localcloud import lifecycle, processes, supervision
from localcloud.errors import LocalCloudError
from localcloud.home import MARKER, Home
from localcloud.services import key_vault, registry
from localcloud.services.service import Group
from localcloud.status import read_status
from localcloud.waiting import wait_until

_NAME = "key-vault"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home whose only service is the Key Vault; down at the end, whatever happened."""
    # A real home's path can be longer than a socket's may be.
    home = Home(tmp_path / ("long" * 25) / "home")
    monkeypatch.setattr(registry, "NAMES", (_NAME,))
    monkeypatch.setattr(registry, "groups", lambda home: (Group(_NAME, (key_vault.service(home),)),))
    yield home
    lifecycle.down(home)


def _up(home: Home) -> list[str]:
    """Brings it up; returns what was reported."""
    reported: list[str] = []
    lifecycle.up(home, {}, lambda what, _seconds, _where: reported.append(what))
    return reported


def _pid(home: Home) -> int:
    return supervision.state(home, _NAME).pid


def _await_end(process: psutil.Process) -> None:
    wait_until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "It should end", 30)


def test_up_brings_it_up_once(cloud: Home) -> None:
    assert _up(cloud) == [_NAME]
    pid = _pid(cloud)
    assert [(row.service, row.state) for row in read_status(cloud)] == [(_NAME, "up")]
    assert _up(cloud) == [_NAME]
    assert _pid(cloud) == pid


def test_down_leaves_nothing_and_touches_nobody_else(cloud: Home) -> None:
    _up(cloud)
    child = psutil.Process(_pid(cloud))
    another = {**os.environ, MARKER: f"{cloud.root}-2"}
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=another)
    assert lifecycle.down(cloud)
    assert not child.is_running()
    assert processes.of(cloud) == []
    assert [row.state for row in read_status(cloud)] == ["down"]
    assert stranger.poll() is None
    stranger.communicate(b"\n")


def test_down_has_nothing_to_do_where_nothing_runs(cloud: Home) -> None:
    assert not lifecycle.down(cloud)
    cloud.create()
    assert not lifecycle.down(cloud)


def test_a_service_that_dies_comes_back(cloud: Home) -> None:
    _up(cloud)
    pid = _pid(cloud)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: _pid(cloud) not in {0, pid}, "Supervisor should start it again", 30)
    wait_until(key_vault.service(cloud).is_healthy, "It should work again", 60)


def test_up_takes_over_after_supervisor_was_killed(cloud: Home) -> None:
    """The service outlives Supervisor, and holds the ports: it is the leftover of an earlier run."""
    _up(cloud)
    service = psutil.Process(_pid(cloud))
    supervisor = psutil.Process(int((cloud.run / "supervisord.pid").read_text()))
    supervisor.kill()
    _await_end(supervisor)
    assert service.is_running()
    assert _up(cloud) == ["stopped leftovers of an earlier run: 1", _NAME]
    assert not service.is_running()
    assert [row.state for row in read_status(cloud)] == ["up"]


def test_a_service_that_cannot_start_shows_its_log_and_leaves_nothing(cloud: Home) -> None:
    cloud.create()
    (cloud.data(_NAME) / "secrets.json").write_text("this is not JSON")
    with pytest.raises(LocalCloudError) as raised:
        _up(cloud)
    lines = str(raised.value).splitlines()
    assert lines[0].startswith(f"key-vault should run at https://127.0.0.1:{cloud.port(_NAME)}, and it ended: ")
    assert lines[1] == f"The end of its log, {cloud.logs / 'key-vault.log'}:"
    assert any("Invalid JSON" in line for line in lines)
    assert lines[-1] == "Mend what it says and run `localcloud up` again."
    assert processes.of(cloud) == []


def test_ports_cannot_change_while_it_is_up(cloud: Home) -> None:
    _up(cloud)
    ports = cloud.ports()
    with pytest.raises(LocalCloudError, match="`localcloud down` first"):
        lifecycle.up(cloud, {_NAME: 1234}, lambda *_: None)
    assert cloud.ports() == ports


def test_two_commands_do_not_meet(cloud: Home) -> None:
    cloud.create()
    with lifecycle.alone(cloud), pytest.raises(LocalCloudError, match="One command at a time"):
        lifecycle.down(cloud)
