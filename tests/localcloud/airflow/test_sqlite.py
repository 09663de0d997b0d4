import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from localcloud.airflow.sqlite import OneWriteAtATime

LIMIT_SECONDS = 10


class Server:
    """Answers when it is let, and remembers what it has begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = asyncio.Event()

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        self.begun.append(scope["path"])
        await self.may_end.wait()
        if scope["path"] == "/fails":
            raise ValueError("no such row")


async def receive() -> Message:
    raise AssertionError("nothing is read")


async def send(_message: Message) -> None:
    raise AssertionError("nothing is sent")


async def ask(server: OneWriteAtATime, method: str, path: str) -> None:
    await server({"type": "http", "method": method, "path": path}, receive, send)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_waits_for_the_write_before(method: str) -> None:
    async def play() -> None:
        server = Server()
        guarded = OneWriteAtATime(server)
        writes = [asyncio.create_task(ask(guarded, method, path)) for path in ("/first", "/second")]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert server.begun == ["/first"]
        server.may_end.set()
        await asyncio.gather(*writes)
        assert server.begun == ["/first", "/second"]

    asyncio.run(asyncio.wait_for(play(), LIMIT_SECONDS))


def test_reading_waits_for_nobody() -> None:
    async def play() -> None:
        server = Server()
        guarded = OneWriteAtATime(server)
        requests = [asyncio.create_task(ask(guarded, *what)) for what in (("POST", "/write"), ("GET", "/read"))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert server.begun == ["/write", "/read"]
        server.may_end.set()
        await asyncio.gather(*requests)

    asyncio.run(asyncio.wait_for(play(), LIMIT_SECONDS))


def test_a_write_that_fails_lets_the_next_one_in() -> None:
    async def play() -> None:
        server = Server()
        server.may_end.set()
        guarded = OneWriteAtATime(server)
        with pytest.raises(ValueError, match="no such row"):
            await ask(guarded, "POST", "/fails")
        await ask(guarded, "POST", "/next")
        assert server.begun == ["/fails", "/next"]

    asyncio.run(asyncio.wait_for(play(), LIMIT_SECONDS))
