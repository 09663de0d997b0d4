"""How Airflow is configured and started on this machine: environment, commands, and what must be there before."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from localcloud.airflow.client import ADMIN
from localcloud.errors import LocalCloudError
from localcloud.home import LAKE_ROOT, MARKER, WAREHOUSE_PATH, Home, write_private
from localcloud.ports import HOST

REPOSITORY = Path(__file__).resolve().parents[2]
_DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
AIRFLOW_DATABASE = "airflow-database"
_PASSWORDS = "passwords.json"


def environment(home: Home, dags: Path = REPOSITORY / "dags") -> dict[str, str]:
    """What Airflow's processes, and its command line, need in their environment; it holds secrets.

    A PostgreSQL that the caller's environment names is kept, as with Docker, or else one that the home names.
    """
    home = Home(home.root.absolute())
    return _configuration(home, dags.absolute()) | _connections(home) | _pipeline(home)


def services(home: Home) -> dict[str, list[str]]:
    """The command of each of Airflow's processes, to be started with `environment`.

    Logs are read from the home's folder: the servers that would hand them out listen on every interface.
    """
    del home  # everything is in the environment
    commands = {
        "api-server": ["airflow", "api-server"],
        "scheduler": ["localcloud.airflow.warm", "scheduler", "--skip-serve-logs"],
        "dag-processor": ["localcloud.airflow.warm", "dag-processor"],
        "triggerer": ["airflow", "triggerer", "--skip-serve-logs"],
    }
    return {f"airflow-{name}": [sys.executable, "-m", *words] for name, words in commands.items()}


def settings_file(home: Home) -> Path:
    """What the DAGs' settings are read from, besides the environment: the wheel that was deployed last."""
    return home.airflow / "bookstore.env"


def prepare(home: Home) -> None:
    """Gives Airflow its database and its admin; costs nothing where that is done.

    Raises:
        LocalCloudError: Airflow could not make its database.
    """
    home.airflow.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(home.airflow / _PASSWORDS, json.dumps({ADMIN: home.secret("airflow-admin-password")}))
    surroundings = os.environ | environment(home)
    # What was migrated, and by which Airflow: asking the database itself takes as long as migrating it.
    migrated = home.airflow / "migrated"
    state = f"{version('apache-airflow')} {surroundings[_DATABASE]}"
    if migrated.exists() and migrated.read_text() == state:
        return
    _migrate(surroundings)
    write_private(migrated, state)


def _migrate(surroundings: dict[str, str]) -> None:
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalCloudError(f"Airflow could not prepare its database:\n{done.stderr.strip()[-2000:]}")


def _configuration(home: Home, dags: Path) -> dict[str, str]:
    sections: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": dags,
            "plugins_folder": Path(__file__).parent / "plugins",
            "load_examples": False,
            # The schedules and triggers of the DAGs hold from the first start on.
            "dags_are_paused_at_creation": False,
            "executor": "LocalExecutor",
            "parallelism": 4,
            "simple_auth_manager_users": f"{ADMIN}:admin",
            "simple_auth_manager_passwords_file": home.airflow / _PASSWORDS,
            "fernet_key": home.secret("airflow-fernet-key"),
            "hostname_callable": "socket.gethostname",
        },
        "api": {
            "host": HOST,
            "port": home.port("airflow"),
            "base_url": f"http://{HOST}:{home.port('airflow')}",
            "workers": 1,
            "secret_key": home.secret("airflow-jwt-secret"),
        },
        "api_auth": {"jwt_secret": home.secret("airflow-jwt-secret")},
        "database": _database(home),
        "workers": {
            # On a busy laptop Airflow's own server can take longer than the five seconds that tasks give it.
            "execution_api_timeout": 60,
            # That a task's process has ended is seen at its next heartbeat at the latest. One that defers and is back
            # before that counts as failed, and is run again: with the usual five seconds, short runs at times were.
            "min_heartbeat_interval": 1,
        },
        # A laptop's Airflow is idle most of the time: look often, so that a task follows the one before at once.
        "scheduler": {"scheduler_idle_sleep_time": 0.3},
        "dag_processor": {"parsing_processes": 1},
        "logging": {"base_log_folder": home.logs / "airflow", "colored_console_log": False},
    }
    return {"AIRFLOW_HOME": str(home.airflow)} | {
        f"AIRFLOW__{section}__{option}".upper(): str(value)
        for section, options in sections.items()
        for option, value in options.items()
    }


def _database(home: Home) -> dict[str, object]:
    given = os.environ.get(_DATABASE) or _named_in(home)
    if given.startswith("postgresql"):
        where = given.partition("://")[2]
        return {
            "sql_alchemy_conn": f"postgresql+psycopg2://{where}",
            "sql_alchemy_conn_async": f"postgresql+asyncpg://{where}",
        }
    arguments = "localcloud.airflow.sqlite.CONNECT_ARGS"
    return {
        "sql_alchemy_conn": given or f"sqlite:///{home.airflow}/airflow.db",
        "sql_alchemy_connect_args": arguments,
        "sql_alchemy_connect_args_async": arguments,
    }


def _named_in(home: Home) -> str:
    """The address of a database that somebody has put among the home's secrets, since it may hold a password."""
    file = home.secrets / AIRFLOW_DATABASE
    return file.read_text().strip() if file.exists() else ""


def _connections(home: Home) -> dict[str, str]:
    workspace = f"http://{HOST}:{home.port('workspace')}"
    databricks = {
        "conn_type": "databricks",
        "host": HOST,
        "schema": "http",
        "port": home.port("workspace"),
        "password": home.secret("databricks-token"),
        # For databricks-sql-connector, which by itself speaks https alone, and has nobody here to tell how it is used.
        "extra": {
            "http_path": WAREHOUSE_PATH,
            "_connection_uri": f"{workspace}{WAREHOUSE_PATH}",
            "enable_telemetry": False,
        },
    }
    # With this word the provider signs in with azure-identity, which Key Vault accepts.
    azure = {"conn_type": "azure", "extra": {"use_azure_identity_object": True}}
    return {
        "AIRFLOW_CONN_DATABRICKS_DEFAULT": json.dumps(databricks),
        "AIRFLOW_CONN_AZURE_DEFAULT": json.dumps(azure),
        "IDENTITY_ENDPOINT": f"http://{HOST}:{home.port('identity')}/msi/token",
        "IDENTITY_HEADER": home.secret("identity-header"),
        "SSL_CERT_FILE": str(home.tls / "ca-bundle.pem"),
        "REQUESTS_CA_BUNDLE": str(home.tls / "ca-bundle.pem"),
    }


def _pipeline(home: Home) -> dict[str, str]:
    return {
        MARKER: str(home.root),
        "PYTHONPATH": str(REPOSITORY),
        "AZURE_KEY_VAULT_URL": f"https://{HOST}:{home.port('key-vault')}",
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{home.port('kafka')}",
        "LAKE_ROOT": LAKE_ROOT,
        "BOOKSTORE_SETTINGS_FILE": str(settings_file(home)),
        "BOOKSTORE_POLL_SECONDS": "1",
    }
