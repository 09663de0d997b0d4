import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud.airflow import config
from localcloud.errors import LocalCloudError
from localcloud.home import SECRET_NAMES, Home


def test_everything_listens_on_loopback_only(home: Home) -> None:
    found = config.environment(home)
    assert found["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert found["AIRFLOW__API__PORT"] == str(home.port("airflow"))
    servers_of_logs = [words for words in config.services(home).values() if {"scheduler", "triggerer"} & set(words)]
    assert len(servers_of_logs) == 2
    assert all("--skip-serve-logs" in words for words in servers_of_logs)


def test_no_command_line_holds_a_secret(home: Home) -> None:
    words = {word for command in config.services(home).values() for word in command}
    assert words.isdisjoint({home.secret(name) for name in SECRET_NAMES})


def test_connections_are_what_the_dags_name(home: Home) -> None:
    found = config.environment(home)
    assert json.loads(found["AIRFLOW_CONN_DATABRICKS_DEFAULT"]) == {
        "conn_type": "databricks",
        "host": "127.0.0.1",
        "schema": "http",
        "port": home.port("workspace"),
        "password": home.secret("databricks-token"),
        "extra": {
            "http_path": "/sql/1.0/warehouses/local",
            "_connection_uri": f"http://127.0.0.1:{home.port('workspace')}/sql/1.0/warehouses/local",
            "enable_telemetry": False,
        },
    }
    assert json.loads(found["AIRFLOW_CONN_AZURE_DEFAULT"])["extra"] == {"use_azure_identity_object": True}


def test_a_database_that_the_caller_names_is_kept(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg2://airflow@/airflow")
    found = config.environment(home)
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://airflow@/airflow"
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] == "postgresql+asyncpg://airflow@/airflow"


def test_a_database_that_the_home_names_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", raising=False)
    home = Home(tmp_path)
    home.create()
    (home.secrets / config.AIRFLOW_DATABASE).write_text("postgresql://airflow:p@host/airflow\n")
    found = config.environment(home)
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://airflow:p@host/airflow"
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] == "postgresql+asyncpg://airflow:p@host/airflow"


def test_the_database_is_prepared_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", raising=False)
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    config.prepare(home)
    config.prepare(home)
    assert commands == [[sys.executable, "-m", "airflow", "db", "migrate"]]
    passwords = home.airflow / "passwords.json"
    assert json.loads(passwords.read_text()) == {"admin": home.secret("airflow-admin-password")}
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600


def test_a_database_that_cannot_be_made_is_no_traceback_of_ours(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg2://nobody@/none")
    failed = subprocess.CompletedProcess([], 1, "", "connection refused\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(LocalCloudError) as refused:
        config.prepare(home)
    assert str(refused.value) == "Airflow could not prepare its database:\nconnection refused"
