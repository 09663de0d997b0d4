"""Only this machine's own pages and programs get an answer."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from localcloud.loopback import LoopbackOnly


async def _answer(_: Request) -> PlainTextResponse:
    return PlainTextResponse("answered")


async def _greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/", _answer, methods=["GET", "POST"]), WebSocketRoute("/socket", _greet)]
    app = Starlette(routes=routes, middleware=[Middleware(LoopbackOnly)])
    return TestClient(app, base_url="http://127.0.0.1:8080")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "[::1]", "127.0.0.1"])
def test_a_request_for_a_loopback_name_is_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).text == "answered"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example:8080", "127.0.0.1:x", ""],
)
def test_a_request_for_a_foreign_host_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 403


def test_a_page_of_this_server_may_post_to_it(client: TestClient) -> None:
    headers = {"host": "localhost:8080", "origin": "http://localhost:8080"}
    assert client.post("/", headers=headers).text == "answered"


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8080", "http://localhost:8080", ""],
)
def test_a_page_of_another_origin_is_refused(client: TestClient, origin: str) -> None:
    response = client.post("/", headers={"origin": origin})
    assert response.status_code == 403
    assert response.text == "This server takes requests of its own pages (http://127.0.0.1:8080) only."


def test_two_hosts_in_one_request_are_refused(client: TestClient) -> None:
    assert client.get("/", headers=[("host", "127.0.0.1:8080"), ("host", "evil.example")]).status_code == 403


def test_a_web_socket_of_this_server_is_greeted(client: TestClient) -> None:
    headers = {"origin": "http://127.0.0.1:8080", "host": "127.0.0.1:8080"}
    with client.websocket_connect("/socket", headers=headers) as socket:
        assert socket.receive_text() == "hello"


def test_a_web_socket_of_another_origin_is_refused(client: TestClient) -> None:
    headers = {"origin": "http://evil.example", "host": "127.0.0.1:8080"}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/socket", headers=headers):
        pytest.fail("was accepted")
