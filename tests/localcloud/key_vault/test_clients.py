"""Azure's own client, unmodified, against the vault and the managed identity as processes of their own."""

import datetime as dt
import json
import os
import signal
import ssl
import stat
import subprocess
from collections.abc import Iterator

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

from localcloud.home import Home
from localcloud.services import key_vault
from localcloud.waiting import wait_until

_VERSION = {"api-version": "7.4"}


@pytest.fixture(scope="module")
def trust(home: Home) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(home.tls / "ca.pem"))


@pytest.fixture(scope="module")
def vault_url(home: Home) -> Iterator[str]:
    service = key_vault.service(home)
    server = subprocess.Popen(service.command)
    try:
        wait_until(service.is_healthy, f"The vault should answer at {service.address}", 120)
        yield service.address
    finally:
        server.terminate()
        assert server.wait(30) == -signal.SIGTERM


@pytest.fixture(scope="module")
def client(home: Home, vault_url: str) -> Iterator[SecretClient]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AZURE_")]:
            patch.delenv(name)
        patch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{home.port('identity')}/msi/token")
        patch.setenv("IDENTITY_HEADER", home.secret("identity-header"))
        patch.setenv("REQUESTS_CA_BUNDLE", str(home.tls / "ca-bundle.pem"))
        yield SecretClient(vault_url, DefaultAzureCredential())


def test_a_new_vault_holds_the_storage_key(client: SecretClient, home: Home) -> None:
    assert client.get_secret("adls-account-key").value == home.secret("storage-key")


def test_every_version_of_a_secret_is_kept(client: SecretClient) -> None:
    first = client.set_secret("rotated", "one", content_type="text/plain", tags={"owner": "test"})
    second = client.set_secret("rotated", "two")
    assert client.get_secret("rotated").value == "two"
    assert client.get_secret("rotated", first.properties.version).value == "one"
    assert client.get_secret("rotated", first.properties.version).properties.tags == {"owner": "test"}
    versions = [found.version for found in client.list_properties_of_secret_versions("rotated")]
    assert versions == [first.properties.version, second.properties.version]


def test_a_long_list_comes_in_pages(client: SecretClient) -> None:
    names = [f"many-{number:02}" for number in range(30)]
    for name in names:
        client.set_secret(name, "value")
    found = [secret.name for secret in client.list_properties_of_secrets()]
    assert [name for name in found if name and name.startswith("many-")] == names


def test_a_secret_that_is_missing_is_not_found(client: SecretClient) -> None:
    with pytest.raises(ResourceNotFoundError) as raised:
        client.get_secret("absent")
    assert raised.value.error is not None
    assert raised.value.error.code == "SecretNotFound"


def test_a_disabled_secret_is_not_disclosed(client: SecretClient) -> None:
    client.set_secret("disabled", "value", enabled=False)
    with pytest.raises(HttpResponseError) as raised:
        client.get_secret("disabled")
    assert raised.value.status_code == 403


def test_a_name_that_key_vault_forbids_is_refused(client: SecretClient) -> None:
    with pytest.raises(HttpResponseError) as raised:
        client.set_secret("under_score", "very-private")
    assert raised.value.status_code == 400
    assert "very-private" not in str(raised.value)


def test_a_disabled_secret_can_be_enabled_again(client: SecretClient) -> None:
    version = client.set_secret("on-and-off", "value", tags={"owner": "test"}, enabled=False).properties.version
    changed = client.update_secret_properties("on-and-off", version, enabled=True, content_type="text/plain")
    assert (changed.enabled, changed.content_type, changed.tags) == (True, "text/plain", {"owner": "test"})
    assert client.get_secret("on-and-off").value == "value"
    with pytest.raises(ResourceNotFoundError):
        client.update_secret_properties("on-and-off", "0" * 32, enabled=True)


def test_dates_are_kept_and_an_expired_secret_can_still_be_read(client: SecretClient) -> None:
    begin, end = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2021, 1, 1, tzinfo=dt.UTC)
    client.set_secret("expired", "value", not_before=begin, expires_on=end)
    found = client.get_secret("expired")
    assert (found.value, found.properties.not_before, found.properties.expires_on) == ("value", begin, end)
    assert found.properties.recovery_level == "Recoverable+Purgeable"


def test_a_deleted_secret_is_recovered_with_its_versions(client: SecretClient) -> None:
    first = client.set_secret("gone", "one")
    client.set_secret("gone", "two")
    deleted = client.begin_delete_secret("gone").result()
    assert deleted.recovery_id is not None
    assert deleted.recovery_id.endswith("/deletedsecrets/gone")
    assert deleted.deleted_date is not None
    assert deleted.scheduled_purge_date == deleted.deleted_date + dt.timedelta(days=90)
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("gone", first.properties.version)
    assert "gone" not in [secret.name for secret in client.list_properties_of_secrets()]
    assert "gone" in [secret.name for secret in client.list_deleted_secrets()]
    with pytest.raises(ResourceExistsError, match="recover or purge it first"):
        client.set_secret("gone", "three")

    client.begin_recover_deleted_secret("gone").wait()
    assert client.get_secret("gone").value == "two"
    assert client.get_secret("gone", first.properties.version).value == "one"
    with pytest.raises(ResourceNotFoundError):
        client.get_deleted_secret("gone")


def test_a_purged_secret_is_gone_for_good_and_its_name_is_free(client: SecretClient, home: Home) -> None:
    client.set_secret("purged", "once private")
    client.begin_delete_secret("purged").wait()
    assert client.get_deleted_secret("purged").name == "purged"
    client.purge_deleted_secret("purged")
    with pytest.raises(ResourceNotFoundError):
        client.begin_recover_deleted_secret("purged")
    assert "once private" not in (home.data("key-vault") / "secrets.json").read_text()
    client.set_secret("purged", "new")
    assert [each.version for each in client.list_properties_of_secret_versions("purged")] == [
        client.get_secret("purged").properties.version
    ]


def test_a_secret_that_is_not_there_is_not_deleted(client: SecretClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        client.begin_delete_secret("absent")


def test_a_route_that_is_not_there_is_named(client: SecretClient) -> None:
    client.set_secret("to-back-up", "value")
    with pytest.raises(HttpResponseError) as raised:
        client.backup_secret("to-back-up")
    assert raised.value.status_code == 501
    assert "POST /secrets/to-back-up/backup" in str(raised.value)


def test_secrets_lie_in_a_file_for_their_owner_alone(client: SecretClient, home: Home) -> None:
    client.set_secret("written", "down")
    path = home.data("key-vault") / "secrets.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [version["value"] for version in json.loads(path.read_text())["written"]] == ["down"]


@pytest.mark.parametrize("token", ["", "Bearer wrong", "Basic wrong", "Bearer eyJhbGciOiJub25lIn0.e30."])
def test_a_wrong_token_gets_the_challenge(home: Home, vault_url: str, trust: ssl.SSLContext, token: str) -> None:
    headers = {"authorization": token}
    response = httpx.get(f"{vault_url}/secrets/adls-account-key", params=_VERSION, headers=headers, verify=trust)
    assert response.status_code == 401
    assert f'resource="https://0.0.1:{home.port("key-vault")}"' in response.headers["www-authenticate"]


def test_a_token_for_something_else_is_refused(home: Home, vault_url: str, trust: ssl.SSLContext) -> None:
    statuses = {}
    for resource in ("https://vault.azure.net", "https://storage.azure.com"):
        headers = {"authorization": f"Bearer {_identity_token(home, resource)}"}
        response = httpx.get(f"{vault_url}/secrets/adls-account-key", headers=headers, verify=trust)
        statuses[resource] = response.status_code
    assert statuses == {"https://vault.azure.net": 200, "https://storage.azure.com": 401}


@pytest.mark.usefixtures("vault_url")
@pytest.mark.parametrize("header", ["", "wrong"])
def test_the_identity_wants_its_header(home: Home, header: str) -> None:
    assert _ask_identity(home, "https://vault.azure.net", header).status_code == 401


@pytest.mark.usefixtures("vault_url")
@pytest.mark.parametrize(("service", "scheme"), [("key-vault", "https"), ("identity", "http")])
@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}])
def test_a_foreign_page_gets_nothing(
    home: Home, trust: ssl.SSLContext, service: str, scheme: str, headers: dict[str, str]
) -> None:
    url = f"{scheme}://127.0.0.1:{home.port(service)}/secrets"
    assert httpx.get(url, headers=headers, verify=trust).status_code == 403


def _identity_token(home: Home, resource: str) -> str:
    token: str = _ask_identity(home, resource, home.secret("identity-header")).json()["access_token"]
    return token


def _ask_identity(home: Home, resource: str, header: str) -> httpx.Response:
    url = f"http://127.0.0.1:{home.port('identity')}/msi/token"
    params = {"api-version": "2019-08-01", "resource": resource}
    return httpx.get(url, params=params, headers={"x-identity-header": header})
