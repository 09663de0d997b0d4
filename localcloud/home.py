"""The one folder that holds a local cloud: its ports, secrets, data and logs."""

import base64
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from localcloud import ports
from localcloud.errors import LocalCloudError

STORAGE_ACCOUNT = "bookstorelake"
CONTAINER = "bookstore"
WAREHOUSE = "local"
"""The one SQL warehouse of the local Databricks."""
WAREHOUSE_PATH = f"/sql/1.0/warehouses/{WAREHOUSE}"
"""Where it speaks with databricks-sql-connector."""
LAKE_ROOT = f"abfss://{CONTAINER}@{STORAGE_ACCOUNT}.dfs.core.windows.net/lake"

# In the environment of every process that a local cloud starts; how leftovers are told from everybody else's processes.
MARKER = "LOCALCLOUD_HOME"

PORTS = ("airflow", "azurite", "identity", "kafka", "kafka-controller", "key-vault", "workspace")
PORTS_FILE = "ports.json"
FOLDERS = ("secrets", "tls", "logs", "run", "azurite", "kafka", "key-vault", "workspace", "airflow", "report")


def _token() -> str:
    return secrets.token_urlsafe(32)


def _storage_key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()


_SECRETS: dict[str, Callable[[], str]] = {
    "databricks-token": lambda: f"dapi{secrets.token_hex(16)}",
    "storage-key": _storage_key,
    "storage-key-of-before": _storage_key,
    "identity-header": _token,
    "identity-signing-key": _token,
    "connect-token": _token,
    "spark-ui-key": _token,
    "airflow-admin-password": lambda: secrets.token_urlsafe(12),
    "airflow-fernet-key": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "airflow-jwt-secret": lambda: secrets.token_urlsafe(64),  # SHA-512 wants as many bytes as it gives
}
SECRET_NAMES = tuple(_SECRETS)


@dataclass(frozen=True)
class Home:
    """Paths, ports and secrets of one local cloud; two homes share nothing."""

    root: Path

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def tls(self) -> Path:
        """`ca.pem`, `server.pem`, `server.key`, `truststore.p12` for the JVM, `ca-bundle.pem` (public and ours)."""
        return self.root / "tls"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What exists only while the cloud runs: the supervisor's configuration and socket."""
        return self.root / "run"

    @property
    def workspace(self) -> Path:
        """What the Databricks server keeps: its database, files, runs and clusters."""
        return self.root / "workspace"

    @property
    def airflow(self) -> Path:
        return self.root / "airflow"

    @property
    def report(self) -> Path:
        return self.root / "report"

    def data(self, service: str) -> Path:
        """A service's own folder, e.g. `azurite` or `kafka`."""
        return self.root / service

    @property
    def exists(self) -> bool:
        return (self.root / PORTS_FILE).is_file()

    def port(self, service: str) -> int:
        """The loopback port that a service was given when the home was made.

        Services: `airflow`, `azurite`, `identity`, `kafka`, `kafka-controller`, `key-vault`, `workspace`.
        """
        return self.ports()[service]

    def ports(self) -> dict[str, int]:
        remembered: dict[str, int] = json.loads((self.root / PORTS_FILE).read_text())
        return remembered

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text()

    def storage_keys(self) -> tuple[str, str]:
        """The two keys that the storage account takes: the current one and the one of before."""
        return self.secret("storage-key"), self.secret("storage-key-of-before")

    def renew_storage_key(self) -> None:
        """Makes another key the current one; what was current stays good, and what was before no longer is."""
        write_private(self.secrets / "storage-key-of-before", self.secret("storage-key"))
        write_private(self.secrets / "storage-key", _storage_key())

    def create(self, given_ports: Mapping[str, int] | None = None) -> None:
        """Makes what is missing of the home; what is there stays as it is, but for ports that are given.

        Raises:
            LocalCloudError: A port is given for a service that there isn't.
        """
        for folder in (self.root, *(self.root / name for name in FOLDERS)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in SECRET_NAMES:
            if not (self.secrets / name).exists():
                write_private(self.secrets / name, _SECRETS[name]())
        chosen = _choose_ports((self.ports() if self.exists else {}) | _known(given_ports or {}))
        write_private(self.root / PORTS_FILE, json.dumps(chosen, indent=2))


def _known(given: Mapping[str, int]) -> dict[str, int]:
    unknown = sorted(set(given).difference(PORTS))
    if unknown:
        raise LocalCloudError(f"A port is for one of {', '.join(PORTS)}; found {', '.join(unknown)}")
    return dict(given)


def _choose_ports(chosen: dict[str, int]) -> dict[str, int]:
    for service in PORTS:
        if service not in chosen:
            chosen[service] = ports.find_free(chosen.values())
    return chosen


def write_private(path: Path, content: str | bytes) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(descriptor)
    scratch.replace(path)
