"""A catalogue for tests: takes OpenLineage events over HTTP and keeps them as they came."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass
class FakeCatalogue:
    """What came in, and how it is answered.

    Attributes:
        address: The server.
        events: Their texts.
        keys: What each request gave as `Authorization`.
        status: What it answers.
        headers: With which headers.
        may_answer: It waits for this before it answers.
    """

    address: str
    events: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    status: int = 201
    headers: dict[str, str] = field(default_factory=dict)
    may_answer: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        """Where it takes events."""
        return f"{self.address}/api/v1/lineage"

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(event) for event in self.events]


@contextmanager
def running_catalogue() -> Iterator[FakeCatalogue]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            catalogue.keys.append(self.headers["Authorization"])
            catalogue.events.append(body.decode())
            catalogue.may_answer.wait()
            self.send_response(catalogue.status)
            for name, value in catalogue.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    catalogue = FakeCatalogue(f"http://127.0.0.1:{server.server_port}")
    catalogue.may_answer.set()
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield catalogue
    finally:
        catalogue.may_answer.set()
        server.shutdown()
        server.server_close()
