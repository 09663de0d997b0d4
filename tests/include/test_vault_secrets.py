"""A secret's way from vault to scope, with the real clients against the local vault and workspace as processes."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.compute import ClusterDetails, State

from include.errors import ConfigurationError, VaultError
from include.vault_secrets import VaultSecret, read_vault, restart_if_older, store
from include.workspace import workspace_client
from localcloud import certificates
from localcloud.airflow.config import environment
from localcloud.home import Home
from tests.localcloud.waiting import wait_until

KEY = "adls-account-key"
NAMES = ("AIRFLOW_CONN_DATABRICKS_DEFAULT", "AIRFLOW_CONN_AZURE_DEFAULT", "AZURE_KEY_VAULT_URL", "IDENTITY_ENDPOINT")
TRUST = ("IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home") / "localcloud")
    home.create()
    certificates.create(home)
    return home


@pytest.fixture(scope="module")
def servers(home: Home) -> Iterator[Home]:
    programs = ("localcloud.key_vault", "localcloud.databricks")
    started = [subprocess.Popen([sys.executable, "-m", name, "--home", home.root]) for name in programs]
    health = f"http://127.0.0.1:{home.port('workspace')}/healthz"
    wait_until(lambda: httpx.get(health).is_success, limit=60)
    identity = f"http://127.0.0.1:{home.port('identity')}/"
    wait_until(lambda: httpx.get(identity).status_code == 404, limit=60)
    yield home
    for server in started:
        server.terminate()
    for server in started:
        server.wait(30)


@pytest.fixture
def vault_url(servers: Home, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    found = environment(servers)
    for name in (*NAMES, *TRUST):
        monkeypatch.setenv(name, found[name])
    return found["AZURE_KEY_VAULT_URL"]


@pytest.fixture
def vault(vault_url: str) -> SecretClient:
    return SecretClient(vault_url, DefaultAzureCredential())


@pytest.fixture
def workspace(vault_url: str) -> WorkspaceClient:
    assert vault_url
    client = workspace_client("databricks_default")
    for scope in client.secrets.list_scopes():
        client.secrets.delete_scope(scope.name or "")
    return client


def names(workspace: WorkspaceClient) -> list[str]:
    return sorted(secret.key or "" for secret in workspace.secrets.list_secrets("bookstore"))


def stored_at(workspace: WorkspaceClient) -> int:
    return next(s.last_updated_timestamp or 0 for s in workspace.secrets.list_secrets("bookstore") if s.key == KEY)


def test_the_key_is_stored_once_and_only_once(home: Home, vault_url: str, workspace: WorkspaceClient) -> None:
    secret = read_vault(vault_url, "azure_default", KEY)
    assert store(workspace, secret) is True
    first = stored_at(workspace)
    assert store(workspace, read_vault(vault_url, "azure_default", KEY)) is False
    assert stored_at(workspace) == first
    assert names(workspace) == [KEY, f"{KEY}.version.{secret.version}"]
    assert value(workspace) == home.secret("storage-key")


def value(workspace: WorkspaceClient) -> str:
    return workspace.dbutils.secrets.get("bookstore", KEY)


def test_a_rotated_key_replaces_the_old_one(vault: SecretClient, vault_url: str, workspace: WorkspaceClient) -> None:
    store(workspace, read_vault(vault_url, "azure_default", KEY))
    rotated = vault.set_secret(KEY, "rotated")
    assert store(workspace, read_vault(vault_url, "azure_default", KEY)) is True
    assert value(workspace) == "rotated"
    assert names(workspace) == [KEY, f"{KEY}.version.{rotated.properties.version}"]


def test_secrets_are_kept_apart(vault: SecretClient, vault_url: str, workspace: WorkspaceClient) -> None:
    password = vault.set_secret("kafka-password", "a password")
    for name in (KEY, "kafka-password"):
        store(workspace, read_vault(vault_url, "azure_default", name))
    key = vault.get_secret(KEY)
    assert names(workspace) == [
        KEY,
        f"{KEY}.version.{key.properties.version}",
        "kafka-password",
        f"kafka-password.version.{password.properties.version}",
    ]
    assert workspace.dbutils.secrets.get("bookstore", "kafka-password") == "a password"


def test_a_key_that_somebody_else_put_is_replaced(vault_url: str, workspace: WorkspaceClient) -> None:
    secret = read_vault(vault_url, "azure_default", KEY)
    store(workspace, secret)
    wait_until(lambda: overwritten(workspace), limit=5)
    assert store(workspace, secret) is True
    assert value(workspace) == secret.value


def overwritten(workspace: WorkspaceClient) -> bool:
    """Puts another key, at a later millisecond than the marker's."""
    marked = max(s.last_updated_timestamp or 0 for s in workspace.secrets.list_secrets("bookstore"))
    workspace.secrets.put_secret("bookstore", KEY, string_value="somebody's")
    return stored_at(workspace) > marked


def test_a_run_that_died_between_key_and_marker_is_made_up_for(vault_url: str, workspace: WorkspaceClient) -> None:
    workspace.secrets.create_scope("bookstore")
    workspace.secrets.put_secret("bookstore", KEY, string_value="half done")
    secret = read_vault(vault_url, "azure_default", KEY)
    assert store(workspace, secret) is True
    assert value(workspace) == secret.value


def test_the_value_is_never_shown(vault_url: str, workspace: WorkspaceClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        secret = read_vault(vault_url, "azure_default", KEY)
        store(workspace, secret)
    assert len(caplog.messages) > 10
    assert secret.value not in caplog.text + repr(secret)


def test_a_missing_connection_says_what_to_create(vault_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AZURE_DEFAULT")
    with pytest.raises(ConfigurationError) as refused:
        read_vault(vault_url, "azure_default", KEY)
    assert str(refused.value) == (
        "connection azure_default is required to read the Key Vault and is missing: "
        'create connection azure_default of type azure with extra {"use_azure_identity_object": true}'
    )


def test_a_connection_of_the_old_kind_says_what_to_add(vault_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AZURE_DEFAULT", '{"conn_type": "azure"}')
    with pytest.raises(ConfigurationError) as refused:
        read_vault(vault_url, "azure_default", KEY)
    assert str(refused.value) == (
        "connection azure_default lacks use_azure_identity_object, without which Key Vault refuses its credential: "
        'add {"use_azure_identity_object": true} to its extra'
    )


def test_a_disabled_secret_is_named(vault: SecretClient, vault_url: str) -> None:
    current = vault.get_secret(KEY)
    vault.set_secret(KEY, "not for now", enabled=False)
    with pytest.raises(VaultError, match=f"secret {KEY} is required from Key Vault {vault_url}: HttpResponseError"):
        read_vault(vault_url, "azure_default", KEY)
    vault.set_secret(KEY, current.value or "")


class Clusters:
    """`clusters` of a workspace that has one cluster: real ones take minutes to start before and after a key."""

    def __init__(self, cluster: ClusterDetails) -> None:
        self.cluster = cluster
        self.restarted: list[str] = []

    def get(self, _: str) -> ClusterDetails:
        return self.cluster

    def restart(self, cluster_id: str) -> None:
        self.restarted.append(cluster_id)


@pytest.mark.parametrize(
    ("state", "started", "restarts"),
    [
        (State.RUNNING, -1, True),
        (State.RUNNING, +1, False),
        (State.TERMINATED, -1, False),  # it takes the new key when it starts
    ],
)
def test_a_cluster_with_an_older_key_is_restarted(
    workspace: WorkspaceClient, monkeypatch: pytest.MonkeyPatch, state: State, started: int, restarts: bool
) -> None:
    store(workspace, VaultSecret(KEY, "v1", "a key"))
    clusters = Clusters(ClusterDetails(start_time=1, last_restarted_time=stored_at(workspace) + started, state=state))
    monkeypatch.setattr(WorkspaceClient, "clusters", clusters)
    assert restart_if_older(workspace, "c-1") is restarts
    assert clusters.restarted == (["c-1"] if restarts else [])
