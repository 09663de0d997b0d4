"""Rotating the storage account's key as in Azure: two keys are good at once, and the vault holds the newer.

What runs with the key of before goes on; the next run finds the new one in the vault. Only the rotation after that
ends the older key.
"""

from typing import Any

from azure.core.credentials import AccessToken
from azure.keyvault.secrets import SecretClient

from localcloud import supervision
from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.key_vault.secret_store import STORAGE_KEY_SECRET
from localcloud.key_vault.tokens import Tokens
from localcloud.lifecycle import alone
from localcloud.services import azurite
from localcloud.services.key_vault import vault_url
from localcloud.waiting import wait_until

_VAULT = "https://vault.azure.net"
_LIMIT_SECONDS = 60


class _OwnCredential:
    """Signs in to the vault as this home itself."""

    def __init__(self, home: Home) -> None:
        self._tokens = Tokens(home.secret("identity-signing-key"))

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        token = self._tokens.issue(_VAULT)
        return AccessToken(token.value, token.expires_on)


def rotate_key(home: Home) -> str:
    """Makes a new key, has the storage account take it beside the one of before, and puts it into the vault.

    One that was interrupted is finished by the next, which then makes no key of its own: the vault's has to stay good.

    Returns:
        The version of the vault's secret.

    Raises:
        LocalCloudError: The local cloud is down.
    """
    if not supervision.is_running(home):
        raise LocalCloudError("The storage key is rotated while the local cloud is up, and it is down: `localcloud up`")
    with alone(home), _vault(home) as vault:
        if vault.get_secret(STORAGE_KEY_SECRET).value == home.secret("storage-key"):
            home.renew_storage_key()
        _restart_storage(home)
        return str(vault.set_secret(STORAGE_KEY_SECRET, home.secret("storage-key")).properties.version)


def _vault(home: Home) -> SecretClient:
    return SecretClient(vault_url(home), _OwnCredential(home), connection_verify=str(home.tls / "ca.pem"))


def _restart_storage(home: Home) -> None:
    service = azurite.service(home)
    azurite.expect_restart(home)
    supervision.restart_service(home, service.name)
    wait_until(service.is_healthy, f"{service.name} should answer at {service.address}", _LIMIT_SECONDS)
