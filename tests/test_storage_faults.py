"""The proxy that makes storage fail, as Azure's SDK sees it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.exceptions import HttpResponseError, ServiceResponseError
from azure.storage.blob import BlobServiceClient, ContainerClient

from localcloud import storage
from localcloud.home import CONTAINER, Home
from tests.storage import running_account
from tests.storage_faults import Request, StorageProxy, Verdict, lose_answer, number_is, refuse


@pytest.fixture(scope="module")
def account(home: Home) -> Iterator[BlobServiceClient]:
    with running_account(home) as client:
        yield client


@pytest.fixture(scope="module")
def proxy(home: Home, account: BlobServiceClient) -> Iterator[StorageProxy]:  # noqa: ARG001 - it needs one to run
    with StorageProxy(home) as proxy:
        yield proxy


@pytest.fixture
def behind(proxy: StorageProxy, home: Home) -> ContainerClient:
    """The container through the proxy, by a client that tries once."""
    address = storage.connection_string(home).replace(f":{home.port('azurite')}/", f":{proxy.port}/")
    client = BlobServiceClient.from_connection_string(address, retry_total=0)
    return client.get_container_client(CONTAINER)


@pytest.fixture
def container(account: BlobServiceClient) -> ContainerClient:
    return account.get_container_client(CONTAINER)


def test_what_is_written_through_it_is_read_through_it(proxy: StorageProxy, behind: ContainerClient) -> None:
    with proxy.planned() as requests:
        behind.upload_blob("plain", bytes(range(256)) * 5000)
        assert behind.download_blob("plain").readall() == bytes(range(256)) * 5000
        assert behind.get_blob_client("plain").get_blob_properties().size == 256 * 5000
    assert [(request.number, request.method, request.writes) for request in requests] == [
        (1, "PUT", True),
        (2, "GET", False),
        (3, "HEAD", False),
    ]


def test_a_refused_request_never_reaches_the_storage(
    proxy: StorageProxy, behind: ContainerClient, container: ContainerClient
) -> None:
    with proxy.planned(refuse(number_is(2))):
        behind.upload_blob("first", b"")
        with pytest.raises(HttpResponseError, match="Service Unavailable"):
            behind.upload_blob("refused", b"")
        behind.upload_blob("third", b"")
    assert [container.get_blob_client(name).exists() for name in ("first", "refused", "third")] == [True, False, True]


def test_a_request_whose_answer_is_lost_is_done(
    proxy: StorageProxy, behind: ContainerClient, container: ContainerClient
) -> None:
    with proxy.planned(lose_answer(number_is(1))), pytest.raises(ServiceResponseError):
        behind.upload_blob("unanswered", b"")
    assert container.get_blob_client("unanswered").exists()


def test_a_plan_that_waits_holds_a_request_up(
    proxy: StorageProxy, behind: ContainerClient, container: ContainerClient
) -> None:
    has_come, may_go = threading.Event(), threading.Event()

    def hold(_: Request) -> Verdict:
        has_come.set()
        assert may_go.wait(60)
        return Verdict.PASS

    with proxy.planned(hold), ThreadPoolExecutor(1) as pool:
        upload = pool.submit(behind.upload_blob, "held", b"")
        assert has_come.wait(60)
        assert not container.get_blob_client("held").exists()
        may_go.set()
        upload.result()
    assert container.get_blob_client("held").exists()
