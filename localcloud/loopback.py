"""Keeps web pages of other sites away from servers on this machine."""

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

NAMES = ("127.0.0.1", "localhost", "[::1]")


class LoopbackOnly:
    """ASGI middleware that refuses requests for a foreign Host or from a foreign Origin.

    A server that listens on loopback alone can still be reached by any page in the user's browser: through a name that
    was rebound to 127.0.0.1 (the Host is then foreign), or by a request across sites (the Origin is then foreign).

    Args:
        app: What answers the other requests.
        hosts: Names under which this server is reached, without ports.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = NAMES) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None if scope["type"] == "lifespan" else self._refusal(Headers(scope=scope), scope["scheme"])
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal})
        else:
            await PlainTextResponse(refusal, status_code=403)(scope, receive, send)

    def _refusal(self, headers: Headers, scheme: str) -> str | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _without_port(hosts[0]) not in self._hosts:
            return f"This server answers to {', '.join(sorted(self._hosts))} only, not to the Host {hosts}."
        # A page's origin is this server's own only if scheme, name and port are: another local server is foreign too.
        own = f"{scheme.replace('ws', 'http', 1)}://{hosts[0]}"
        if any(origin != own for origin in headers.getlist("origin")):
            return f"This server takes requests of its own pages ({own}) only."
        return None


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isdigit() else host.lower()
