"""How Airflow's processes share one SQLite file."""

from asyncio import Lock

from starlette.types import ASGIApp, Receive, Scope, Send

# A writer waits for its turn; the five seconds that SQLite waits by default are too few for a busy laptop.
CONNECT_ARGS = {"timeout": 60}

_READING = {"GET", "HEAD", "OPTIONS"}


class OneWriteAtATime:
    """ASGI middleware: a request that may write starts when the one before has ended, its transaction included.

    Airflow's api-server writes its audit log in the event loop. If a request in another thread has SQLite's lock then,
    it needs the event loop to end and let go of it: each waits for the other, until the time limit above.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turn = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _READING:
            await self._app(scope, receive, send)
        else:
            async with self._turn:
                await self._app(scope, receive, send)
