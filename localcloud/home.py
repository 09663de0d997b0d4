"""The one folder that holds a local cloud: its ports, secrets, data and logs."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

STORAGE_ACCOUNT = "bookstorelake"
CONTAINER = "bookstore"
LAKE_ROOT = f"abfss://{CONTAINER}@{STORAGE_ACCOUNT}.dfs.core.windows.net/lake"
SECRET_NAMES = (
    "databricks-token",
    "storage-key",
    "identity-header",
    "connect-token",
    "spark-ui-key",
    "airflow-admin-password",
    "airflow-fernet-key",
    "airflow-jwt-secret",
)


@dataclass(frozen=True)
class Home:
    """Paths, ports and secrets of one local cloud; two homes share nothing."""

    root: Path

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def tls(self) -> Path:
        """`ca.pem`, `server.pem`, `server.key`, `truststore.p12` (for the JVM) and `ca-bundle.pem` (certifi and ours)."""
        return self.root / "tls"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

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

    def port(self, service: str) -> int:
        """The loopback port that a service was given when the home was made.

        Services: `airflow`, `azurite`, `identity`, `kafka`, `kafka-controller`, `key-vault`, `workspace`.
        """
        ports: dict[str, int] = json.loads((self.root / "ports.json").read_text())
        return ports[service]

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text()


def write_private(path: Path, content: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    scratch.replace(path)
