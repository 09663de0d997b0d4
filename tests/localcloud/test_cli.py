"""What a user types and reads."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud.home import LAKE_ROOT, Home

_LOCALCLOUD = Path(sys.executable).with_name("localcloud")


def _run(*arguments: str, home: Home) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_LOCALCLOUD, *arguments, "--home", home.root], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def exported(home: Home) -> dict[str, str]:
    """What a shell has after `eval "$(localcloud env)"`, and had not before."""
    script = 'eval "$("$0" env --home "$1")"; exec "$2" -c "import json, os; print(json.dumps(dict(os.environ)))"'
    command = ["bash", "-euc", script, str(_LOCALCLOUD), str(home.root), sys.executable]
    shell = subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    environment: dict[str, str] = json.loads(shell.stdout)
    return environment


def test_a_command_imports_no_server_and_no_spark() -> None:
    """Every command would start half a second later, or two."""
    source = "import sys, localcloud.cli; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"airflow", "databricks", "fastapi", "pandas", "pyspark", "sqlalchemy"})
    assert "typer" in loaded


def test_env_gives_addresses_and_credentials(home: Home, exported: dict[str, str]) -> None:
    port, key = home.ports(), home.secret("storage-key")
    expected = {
        "DATABRICKS_HOST": f"http://127.0.0.1:{port['workspace']}",
        "DATABRICKS_TOKEN": home.secret("databricks-token"),
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{port['kafka']}",
        "AZURE_KEY_VAULT_URL": f"https://127.0.0.1:{port['key-vault']}",
        "AZURE_STORAGE_CONNECTION_STRING": (
            f"DefaultEndpointsProtocol=https;AccountName=bookstorelake;AccountKey={key};"
            f"BlobEndpoint=https://127.0.0.1:{port['azurite']}/bookstorelake;"
        ),
        "IDENTITY_ENDPOINT": f"http://127.0.0.1:{port['identity']}/msi/token",
        "IDENTITY_HEADER": home.secret("identity-header"),
        "REQUESTS_CA_BUNDLE": str(home.tls / "ca-bundle.pem"),
        "SSL_CERT_FILE": str(home.tls / "ca-bundle.pem"),
        "LAKE_ROOT": LAKE_ROOT,
        "AIRFLOW_HOME": str(home.airflow),
    }
    assert {name: exported.get(name) for name in expected} == expected


def test_env_gives_airflow_its_connections(exported: dict[str, str]) -> None:
    """Their JSON comes whole through the shell."""
    assert json.loads(exported["AIRFLOW_CONN_DATABRICKS_DEFAULT"])["conn_type"] == "databricks"
    assert json.loads(exported["AIRFLOW_CONN_AZURE_DEFAULT"])["extra"] == {"use_azure_identity_object": True}


def test_env_does_not_make_the_shell_a_part_of_the_cloud(exported: dict[str, str]) -> None:
    assert not {"LOCALCLOUD_HOME", "PYTHONPATH"} & exported.keys()


def test_status_of_a_cloud_that_is_down(home: Home) -> None:
    done = _run("status", home=home)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert lines[0] == ["service", "state", "where", "since"]
    assert [line[:2] for line in lines[1:]] == [
        [name, "down"]
        for name in (
            "azurite",
            "kafka",
            "key-vault",
            "workspace",
            "airflow-api-server",
            "airflow-scheduler",
            "airflow-dag-processor",
            "airflow-triggerer",
        )
    ]


@pytest.mark.parametrize("command", [["status"], ["env"], ["sql", "SELECT 1"], ["report"]])
def test_a_command_without_a_cloud_says_how_to_get_one(tmp_path: Path, command: list[str]) -> None:
    done = _run(*command, home=Home(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"Error: A local cloud is required in {tmp_path / 'none'}, and there is none: run `localcloud up` first\n"
    )


def test_down_without_a_cloud_is_no_error(tmp_path: Path) -> None:
    done = _run("down", home=Home(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (0, "The local cloud was not up.\n")


@pytest.mark.parametrize("port", ["kafka", "kafka=", "kafka=x", "kafka=0", "kafka=65536", "kafka=-1"])
def test_a_port_that_is_none_is_refused_before_anything_is_made(tmp_path: Path, port: str) -> None:
    done = _run("up", "--port", port, home=Home(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: --port takes SERVICE=PORT with a port from 1 to 65535, e.g. airflow=8080; found {port}\n"
    )
    assert not (tmp_path / "none").exists()
