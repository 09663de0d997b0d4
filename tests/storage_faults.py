"""A proxy before the storage account that can refuse a request, lose its answer, or hold it up.

Clients reach it as they reach Azurite, over TLS; it numbers their requests and asks a plan what becomes of each.
"""

import contextlib
import http.client
import select
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from typing import Any, Self

from localcloud.home import Home
from localcloud.ports import HOST

_OF_THE_CONNECTION = {"connection", "expect", "keep-alive", "transfer-encoding"}


class Verdict(Enum):
    """What becomes of a request."""

    PASS = auto()
    REFUSE = auto()
    """The storage never sees it; the client is told that the server is busy."""
    LOSE_ANSWER = auto()
    """The storage does what it asks; the client sees the connection close."""


@dataclass(frozen=True)
class Request:
    """One request, numbered from 1 since the plan was made."""

    number: int
    method: str
    path: str

    @property
    def writes(self) -> bool:
        return self.method not in ("GET", "HEAD")


Condition = Callable[[Request], bool]
Plan = Callable[[Request], Verdict]
"""Called before a request goes on, in a thread of its connection's own: a plan that waits holds the request up."""


def nothing_fails(_: Request) -> Verdict:
    return Verdict.PASS


def number_is(number: int) -> Condition:
    return lambda request: request.number == number


def refuse(condition: Condition) -> Plan:
    return lambda request: Verdict.REFUSE if condition(request) else Verdict.PASS


def lose_answer(condition: Condition) -> Plan:
    return lambda request: Verdict.LOSE_ANSWER if condition(request) else Verdict.PASS


class StorageProxy:
    """The proxy, running while it is entered."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._plan: Plan = nothing_fails
        self._requests: list[Request] = []
        self._server = _Server(self)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextlib.contextmanager
    def planned(self, plan: Plan = nothing_fails) -> Iterator[list[Request]]:
        """Follows the plan meanwhile; gives the list of the requests that come."""
        with self._lock:
            self._plan, self._requests = plan, []
            requests = self._requests
        try:
            yield requests
        finally:
            with self._lock:
                self._plan, self._requests = nothing_fails, []

    def judge(self, method: str, path: str) -> Verdict:
        with self._lock:
            request = Request(len(self._requests) + 1, method, path)
            self._requests.append(request)
            plan = self._plan
        return plan(request)

    def server_tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._home.tls / "server.pem", self._home.tls / "server.key")
        return context

    def connect(self) -> http.client.HTTPSConnection:
        """A connection to the storage itself."""
        trust = ssl.create_default_context(cafile=str(self._home.tls / "ca.pem"))
        return http.client.HTTPSConnection(HOST, self._home.port("azurite"), context=trust)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, proxy: StorageProxy) -> None:
        self.proxy = proxy
        self._tls = proxy.server_tls()
        super().__init__((HOST, 0), _Connection)

    def get_request(self) -> tuple[socket, Any]:
        client, address = super().get_request()
        # The handshake comes with the first read, in the connection's own thread.
        return self._tls.wrap_socket(client, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what the tests are about."""


class _Connection(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    _upstream: http.client.HTTPSConnection | None = None

    def handle_expect_100(self) -> bool:
        super().handle_expect_100()
        self.wfile.flush()  # the client waits for it before it sends the body
        return True

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        verdict = self.server.proxy.judge(self.command, self.path)
        if verdict is Verdict.REFUSE:
            return self._answer(HTTPStatus.SERVICE_UNAVAILABLE, [], b"")
        answer = self._forwarded(body)
        if verdict is Verdict.LOSE_ANSWER:
            return self._hang_up()
        return self._answer(answer.status, answer.getheaders(), answer.read())

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815 - the names that the class above looks for

    def _forwarded(self, body: bytes) -> http.client.HTTPResponse:
        if self._upstream is None:
            self._upstream = self.server.proxy.connect()
        elif self._upstream.sock and select.select([self._upstream.sock], [], [], 0)[0]:
            self._upstream.close()  # the storage has, after a while without requests; the next one opens it again
        self._upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _OF_THE_CONNECTION:
                self._upstream.putheader(name, value)
        self._upstream.endheaders(body)
        return self._upstream.getresponse()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _OF_THE_CONNECTION | ({"content-length"} if self.command != "HEAD" else set()):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(SHUT_RDWR)

    def finish(self) -> None:
        if self._upstream:
            self._upstream.close()
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the class above
        pass
