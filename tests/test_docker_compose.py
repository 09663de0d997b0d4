import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from localcloud.services.registry import NAMES

REPOSITORY = Path(__file__).parent.parent
ONLY_WITH_DOCKER = {"postgres", "prepare", "initialise"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file as Compose itself reads it: anchors merged, syntax and references checked."""
    command = shutil.which("docker-compose")
    if command is None:
        pytest.skip(
            "docker-compose is not installed: `apt-get install docker-compose` gives the parser, without an engine"
        )
    done = subprocess.run([command, "config"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = yaml.safe_load(done.stdout)
    return parsed


def test_starts_the_services_that_localcloud_starts(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*NAMES, *ONLY_WITH_DOCKER}


def test_each_service_runs_what_localcloud_runs(compose: dict[str, Any]) -> None:
    assert {name: compose["services"][name]["command"] for name in NAMES} == {name: [name] for name in NAMES}


def test_only_loopback_listens(compose: dict[str, Any]) -> None:
    """On the host's network our services listen as at home, on loopback; PostgreSQL listens on no network."""
    services = compose["services"]

    assert {services[name]["network_mode"] for name in NAMES} == {"host"}
    assert services["postgres"]["network_mode"] == "none"
    assert not any("ports" in service for service in services.values())


def test_airflow_is_on_postgresql(compose: dict[str, Any]) -> None:
    databases = {
        name: service["environment"].get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "")
        for name, service in compose["services"].items()
        if name.startswith("airflow") or name == "prepare"
    }

    assert len(databases) == 5
    assert set(databases.values()) == {"postgresql+psycopg2://airflow@/airflow?host=/run/postgresql"}


def test_no_password_is_in_the_file() -> None:
    text = (REPOSITORY / "docker-compose.yaml").read_text()

    assert not re.search(r"(?i)(password|secret|token|_key)\s*[:=]", text)
