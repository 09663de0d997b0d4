"""Parameters of a GET may come as a JSON body, as Airflow's triggers send them."""

import json
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send


class GetBodies:
    """ASGI middleware that moves a GET's JSON body into its query, where the routes look."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and _has_json(Request(scope)):
            fields = _fields(await Request(scope, receive).body())
            query = [part for part in (scope["query_string"], urlencode(fields, doseq=True).encode()) if part]
            scope = {**scope, "query_string": b"&".join(query)}
        await self._app(scope, receive, send)


def _has_json(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/json")


def _fields(body: bytes) -> dict[str, object]:
    """The body's fields; one that is no JSON object has none, and the route says which parameter it lacks."""
    try:
        fields = json.loads(body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
