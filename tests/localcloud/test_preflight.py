"""What is missing is said in one sentence, with what to do."""

import re
import socket
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from localcloud import preflight, programs
from localcloud.errors import LocalCloudError
from localcloud.home import Home

_GIB = 1024**3


def _refusal(home: Home) -> str:
    with pytest.raises(LocalCloudError) as raised:
        preflight.check_machine(home)
    return str(raised.value)


def test_this_machine_will_do(home: Home) -> None:
    preflight.check_machine(home)
    preflight.check_ports(home)


def test_too_little_memory(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=int(1.5 * _GIB)))
    assert _refusal(home) == (
        "6 GiB of free memory are required for Airflow, Kafka, Azurite and Spark, and 1.5 GiB were found: "
        "close other programs and try again"
    )


def test_too_little_disk(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2 * _GIB))
    assert _refusal(Home(home.root / "not" / "there")) == (
        f"3 GiB of free disk space are required, and 2.0 GiB were found at {home.root}: "
        "free some, or choose a folder on another disk with `--home`"
    )


def test_jars_that_were_not_fetched(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "jars", lambda kind: tmp_path / kind)
    assert _refusal(home) == (f"{tmp_path}/spark/*.jar is required, and nothing was found there: run `make setup`")


def test_a_port_in_use(home: Home) -> None:
    process = psutil.Process()
    with socket.create_server(("127.0.0.1", home.port("kafka"))), pytest.raises(LocalCloudError) as raised:
        preflight.check_ports(home)
    holder = f"{process.name()} (process {process.pid})"
    assert re.fullmatch(
        rf"Port {home.port('kafka')} is required for kafka, and {re.escape(holder)} has it: "
        r"stop that, or choose another with `--port kafka=\d+`",
        str(raised.value),
    )
