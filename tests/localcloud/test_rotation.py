"""A new storage key, with Supervisor, Azurite, the vault and the identity as processes, and Azure's own clients."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
from azure.storage.blob import BlobServiceClient

from localcloud import lifecycle, storage
from localcloud.environment import client_environment
from localcloud.errors import LocalCloudError
from localcloud.home import CONTAINER, Home
from localcloud.rotation import rotate_key
from localcloud.services import azurite, key_vault, registry
from localcloud.services.service import Group, Service


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home with storage and a vault; down at the end, whatever happened."""
    home = Home(tmp_path / "home")

    def services(home: Home) -> tuple[Service, ...]:
        return azurite.service(home), key_vault.service(home)

    monkeypatch.setattr(registry, "NAMES", ("azurite", "key-vault"))
    monkeypatch.setattr(
        registry, "groups", lambda home: tuple(Group(service.name, (service,)) for service in services(home))
    )
    lifecycle.up(home, {}, lambda _what, _seconds, _where: None)
    yield home
    lifecycle.down(home)


def blobs(home: Home, connection: str) -> list[str]:
    account = BlobServiceClient.from_connection_string(
        connection, connection_verify=str(home.tls / "ca.pem"), retry_total=0
    )
    with account:
        return [blob.name for blob in account.get_container_client(CONTAINER).list_blobs()]


def test_the_new_key_comes_through_the_vault_and_the_one_of_before_stays_good_once(
    cloud: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = client_environment(cloud)
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, environment[name])
    vault = SecretClient(key_vault.vault_url(cloud), DefaultAzureCredential())
    first = storage.connection_string(cloud)
    with BlobServiceClient.from_connection_string(first) as account:
        account.get_container_client(CONTAINER).upload_blob("kept", b"content")

    version = rotate_key(cloud)
    second = storage.connection_string(cloud)
    assert second != first
    assert blobs(cloud, first) == blobs(cloud, second) == ["kept"]
    held = vault.get_secret("adls-account-key")
    assert (held.value, held.properties.version) == (cloud.secret("storage-key"), version)

    rotate_key(cloud)
    assert blobs(cloud, second) == blobs(cloud, storage.connection_string(cloud)) == ["kept"]
    with pytest.raises(HttpResponseError, match="AuthorizationFailure"):
        blobs(cloud, first)


def test_a_rotation_that_was_interrupted_is_finished_without_another_key(cloud: Home) -> None:
    first = storage.connection_string(cloud)
    cloud.renew_storage_key()
    rotate_key(cloud)
    assert blobs(cloud, first) == blobs(cloud, storage.connection_string(cloud)) == []


def test_a_cloud_that_is_down_rotates_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    key = home.secret("storage-key")
    with pytest.raises(LocalCloudError, match="it is down: `localcloud up`"):
        rotate_key(home)
    assert home.secret("storage-key") == key
