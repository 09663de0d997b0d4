"""The storage account, as Azure's SDK and Spark see it."""

import ssl
from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ServiceResponseError
from azure.storage.blob import BlobServiceClient, ContainerClient
from pyspark.sql import SparkSession

from localcloud import storage
from localcloud.home import CONTAINER, LAKE_ROOT, Home
from localcloud.services import azurite
from localcloud.storage_faults import (
    FaultsToCome,
    StorageFault,
    add_storage_faults,
    clear_storage_faults,
    storage_faults_to_come,
)
from tests.storage import hadoop_conf, let_reach, running_account


@pytest.fixture(scope="module")
def account(home: Home) -> Iterator[BlobServiceClient]:
    with running_account(home) as client:
        yield client


@pytest.fixture(scope="module")
def container(account: BlobServiceClient) -> ContainerClient:
    return account.get_container_client(CONTAINER)


def test_it_has_the_container_and_making_it_again_changes_nothing(account: BlobServiceClient, home: Home) -> None:
    azurite.service(home).initialise()
    assert [found.name for found in account.list_containers()] == [CONTAINER]
    with pytest.raises(ResourceExistsError):
        account.create_container(CONTAINER)


def test_a_blob_is_what_was_written(container: ContainerClient) -> None:
    container.upload_blob("folder/blob.bin", bytes(range(256)))
    assert container.download_blob("folder/blob.bin").readall() == bytes(range(256))


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, HTTPStatus.FORBIDDEN),
        ({"origin": "https://evil.example"}, HTTPStatus.FORBIDDEN),
        # A name instead of an address means an account of that name.
        ({"host": "evil.example"}, HTTPStatus.NOT_FOUND),
    ],
)
def test_nobody_gets_anything_without_the_key(home: Home, headers: dict[str, str], status: HTTPStatus) -> None:
    url = f"{storage.blob_endpoint(home)}/{CONTAINER}?restype=container&comp=list"
    trust = ssl.create_default_context(cafile=str(home.tls / "ca.pem"))
    answer = httpx.get(url, headers=headers, verify=trust)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


def test_the_key_is_not_among_the_arguments(home: Home) -> None:
    assert not any(home.secret("storage-key") in word for word in azurite.service(home).command)


def impatient(home: Home) -> ContainerClient:
    """A client that asks once, and waits for two seconds."""
    text = storage.connection_string(home)
    account = BlobServiceClient.from_connection_string(text, retry_total=0, read_timeout=2)
    return account.get_container_client(CONTAINER)


@pytest.mark.usefixtures("account")
def test_requests_are_refused_on_demand_and_the_next_is_not(home: Home) -> None:
    add_storage_faults(home, FaultsToCome(StorageFault.REFUSES, 2))
    for _ in range(2):
        with pytest.raises(HttpResponseError) as refused:
            impatient(home).upload_blob("refused", b"")
        assert refused.value.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert "ErrorCode:ServerBusy" in str(refused.value)
    assert not impatient(home).get_blob_client("refused").exists()


@pytest.mark.usefixtures("account")
def test_an_answer_is_lost_on_demand_and_the_work_is_done(home: Home) -> None:
    add_storage_faults(home, FaultsToCome(StorageFault.LOSES_ANSWERS, 1))
    with pytest.raises(ServiceResponseError):
        impatient(home).upload_blob("unanswered", b"there")
    assert impatient(home).download_blob("unanswered").readall() == b"there"


@pytest.mark.usefixtures("account")
def test_a_request_is_late_on_demand(home: Home) -> None:
    add_storage_faults(home, FaultsToCome(StorageFault.SLOW, 1, seconds=600))
    with pytest.raises(ServiceResponseError, match="timed out"):
        impatient(home).get_container_properties()
    assert impatient(home).get_container_properties().name == CONTAINER


@pytest.mark.usefixtures("account")
def test_faults_come_in_their_order_and_asking_whether_it_lives_meets_none(home: Home) -> None:
    add_storage_faults(home, FaultsToCome(StorageFault.REFUSES, 1))
    add_storage_faults(home, FaultsToCome(StorageFault.SLOW, 2, seconds=2.5))
    assert azurite.service(home).is_healthy()
    slow = {"kind": "slow", "times": 2, "seconds": 2.5}
    assert storage_faults_to_come(home) == [{"kind": "refuses", "times": 1, "seconds": 0}, slow]
    with pytest.raises(HttpResponseError):
        impatient(home).get_container_properties()
    assert storage_faults_to_come(home) == [slow]
    clear_storage_faults(home)
    assert storage_faults_to_come(home) == []
    assert impatient(home).get_container_properties().name == CONTAINER


def test_spark_goes_on_through_a_busy_storage(container: ContainerClient, home: Home, spark: SparkSession) -> None:
    path = f"{LAKE_ROOT}/test/busy"
    session = spark.newSession()
    let_reach(session, home, hadoop_conf(home) | {"fs.azure.io.retry.min.backoff.interval": "1"})
    add_storage_faults(home, FaultsToCome(StorageFault.REFUSES, 3))
    session.range(5).write.format("delta").save(path)
    assert storage_faults_to_come(home) == []
    assert session.read.format("delta").load(path).count() == 5
    assert container.get_blob_client("lake/test/busy/_delta_log/00000000000000000000.json").exists()


def test_spark_reads_and_writes_delta_under_a_production_uri(
    container: ContainerClient, home: Home, spark: SparkSession
) -> None:
    path = f"{LAKE_ROOT}/test/numbers"
    session = spark.newSession()  # its settings are its own
    let_reach(session, home, hadoop_conf(home))
    session.range(5).write.format("delta").save(path)
    session.range(5, 7).write.format("delta").mode("append").save(path)
    assert sorted(row.id for row in session.read.format("delta").load(path).collect()) == [0, 1, 2, 3, 4, 5, 6]
    commits = [
        blob.name for blob in container.list_blobs("lake/test/numbers/_delta_log/0") if blob.name[-5:] == ".json"
    ]
    assert commits == [f"lake/test/numbers/_delta_log/{version:020}.json" for version in (0, 1)]
