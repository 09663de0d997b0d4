"""The Key Vault and the managed identity, one process."""

import sys
from functools import partial
from http import HTTPStatus

from localcloud.home import Home
from localcloud.key_vault import IDENTITY_PATH
from localcloud.ports import HOST
from localcloud.services.service import Service, status_code


def service(home: Home) -> Service:
    return Service(
        name="key-vault",
        command=(sys.executable, "-m", "localcloud.key_vault", "--home", str(home.root)),
        address=vault_url(home),
        is_healthy=partial(_is_healthy, home),
    )


def vault_url(home: Home) -> str:
    return f"https://{HOST}:{home.port('key-vault')}"


def identity_endpoint(home: Home) -> str:
    return f"http://{HOST}:{home.port('identity')}{IDENTITY_PATH}"


def _is_healthy(home: Home) -> bool:
    """Whether both refuse one who brings no token or header."""
    urls = f"{vault_url(home)}/secrets", f"{identity_endpoint(home)}?resource=none&api-version=none"
    return all(status_code(url, home) == HTTPStatus.UNAUTHORIZED for url in urls)
