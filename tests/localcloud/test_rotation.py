"""A new storage key, with Supervisor, Azurite, the vault and the identity as processes, and Azure's own clients."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
from azure.storage.blob import BlobServiceClient
from databricks.sdk.service.compute import ClusterSpec

from include.runs import STORAGE_KEY
from include.vault_secrets import read_vault, store
from localcloud import lifecycle, storage
from localcloud.environment import client_environment
from localcloud.errors import LocalCloudError
from localcloud.home import CONTAINER, LAKE_ROOT, STORAGE_ACCOUNT, Home
from localcloud.rotation import rotate_key
from localcloud.services import azurite, key_vault, registry, workspace
from localcloud.services.service import Group, Service
from tests.localcloud.databricks.server import Server


@contextmanager
def running(home: Home, *parts: Callable[[Home], Service]) -> Iterator[Home]:
    """A home with only these services; down at the end, whatever happened."""
    with pytest.MonkeyPatch.context() as patch:
        home.create()
        patch.setattr(registry, "NAMES", tuple(part(home).name for part in parts))
        patch.setattr(registry, "groups", lambda home: tuple(Group(part.__module__, (part(home),)) for part in parts))
        lifecycle.up(home, {}, lambda _what, _seconds, _where: None)
        environment = client_environment(home)
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "AIRFLOW_CONN_AZURE_DEFAULT"):
            patch.setenv(name, environment[name])
        yield home
        lifecycle.down(home)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Home]:
    """A home with storage and a vault."""
    with running(Home(tmp_path / "home"), azurite.service, key_vault.service) as home:
        yield home


def blobs(home: Home, connection: str) -> list[str]:
    account = BlobServiceClient.from_connection_string(
        connection, connection_verify=str(home.tls / "ca.pem"), retry_total=0
    )
    with account:
        return [blob.name for blob in account.get_container_client(CONTAINER).list_blobs()]


def test_the_new_key_comes_through_the_vault_and_the_one_of_before_stays_good_once(cloud: Home) -> None:
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


APPEND = f"""\
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.range(3).write.format("delta").mode("append").save("{LAKE_ROOT}/rotated")
print(spark.read.format("delta").load("{LAKE_ROOT}/rotated").count())
"""
SETTING = f"spark.hadoop.fs.azure.account.key.{STORAGE_ACCOUNT}.dfs.core.windows.net"
REFERENCE = {SETTING: "{{secrets/bookstore/adls-account-key}}"}


@pytest.mark.full
def test_the_next_run_after_rotations_reaches_the_lake_with_nobody_touching_anything(tmp_path: Path) -> None:
    with running(Home(tmp_path / "home"), azurite.service, key_vault.service, workspace.service) as home:
        server = Server(home)
        cluster = ClusterSpec(spark_version="17.3.x-scala2.13", num_workers=0, spark_conf=REFERENCE)
        task = server.script("append", APPEND, new_cluster=cluster)
        printed = []
        for rotations in (0, 1, 2):
            for _ in range(rotations):
                rotate_key(home)
            # What sync_storage_key does at the beginning of each DAG run.
            store(server.client, read_vault(key_vault.vault_url(home), "azure_default", STORAGE_KEY))
            printed.append(server.logs(server.run(task))["append"])
    assert printed == ["3\n", "6\n", "9\n"]
