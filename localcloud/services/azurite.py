"""Azurite as the ADLS Gen2 account."""

import contextlib
from functools import partial
from http import HTTPStatus

from azure.core.exceptions import ResourceExistsError

from localcloud import programs, storage
from localcloud.home import CONTAINER, STORAGE_ACCOUNT, Home
from localcloud.ports import HOST
from localcloud.services.service import Service, status_code


def service(home: Home) -> Service:
    return Service(
        name="azurite",
        command=_command(home),
        address=storage.blob_endpoint(home),
        # Without a signature it refuses, which only a server that works does.
        is_healthy=lambda: status_code(f"{storage.blob_endpoint(home)}?comp=list", home) == HTTPStatus.FORBIDDEN,
        environment={"AZURITE_ACCOUNTS": ":".join((STORAGE_ACCOUNT, *home.storage_keys()))},
        initialise=partial(_create_container, home),
    )


def _command(home: Home) -> tuple[str, ...]:
    return (
        programs.node(),
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
