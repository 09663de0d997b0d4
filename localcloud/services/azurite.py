"""Azurite as the ADLS Gen2 account."""

import contextlib
from functools import partial
from http import HTTPStatus
from pathlib import Path

from azure.core.exceptions import ResourceExistsError

from localcloud import programs, storage
from localcloud.databricks.own_routes import ask
from localcloud.errors import LocalCloudError
from localcloud.home import CONTAINER, STORAGE_ACCOUNT, Home
from localcloud.ports import HOST
from localcloud.services.service import Service, status_code
from localcloud.storage_faults import clear_storage_faults, faults_folder

_FAULTS = Path(__file__).parents[1] / "azurite" / "faults.js"


def service(home: Home) -> Service:
    return Service(
        name="azurite",
        command=_command(home),
        address=storage.blob_endpoint(home),
        # Without a signature it refuses, which only a server that works does.
        is_healthy=lambda: status_code(f"{storage.blob_endpoint(home)}?comp=list", home) == HTTPStatus.FORBIDDEN,
        environment={
            "AZURITE_ACCOUNTS": ":".join((STORAGE_ACCOUNT, *home.storage_keys())),
            "LOCALCLOUD_STORAGE_FAULTS": str(faults_folder(home)),
        },
        before_start=partial(_before_start, home),
        initialise=partial(_create_container, home),
    )


def expect_restart(home: Home) -> None:
    """Says that the next start is one that somebody asked for."""
    _expected(home).touch()


def _expected(home: Home) -> Path:
    return home.run / "azurite-restart-expected"


def _before_start(home: Home) -> None:
    clear_storage_faults(home)
    _stop_clusters_after_crash(home)


def _stop_clusters_after_crash(home: Home) -> None:
    """Azurite acknowledges seconds before it persists, so after a crash the lake may be back at an earlier moment.

    A cluster that runs remembers what came after, and would go on from there. This comes before anybody can reach the
    storage again.
    """
    if _expected(home).exists():
        _expected(home).unlink()
        return
    with contextlib.suppress(LocalCloudError):  # without a workspace there are no clusters
        ask(home, "POST", "storage-crash")


def _command(home: Home) -> tuple[str, ...]:
    return (
        programs.node(),
        *("--require", str(_FAULTS)),
        str(programs.azurite()),
        *("--blobHost", HOST, "--blobPort", str(home.port("azurite"))),
        *("--location", str(home.data("azurite"))),
        *("--cert", str(home.tls / "server.pem"), "--key", str(home.tls / "server.key")),
        # Hadoop's driver is ahead of the API versions that Azurite knows by name.
        "--skipApiVersionCheck",
        "--disableTelemetry",
        "--silent",
    )


def _create_container(home: Home) -> None:
    from azure.storage.blob import BlobServiceClient

    account = BlobServiceClient.from_connection_string(
        storage.connection_string(home), connection_verify=str(home.tls / "ca.pem")
    )
    with account, contextlib.suppress(ResourceExistsError):
        account.create_container(CONTAINER)
