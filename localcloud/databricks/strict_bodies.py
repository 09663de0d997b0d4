"""Bodies are bounded, and JSON, as the standard has it: what else is taken in could never be given out again."""

import json

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localcloud.databricks.errors import ApiError, answer_refusal

_MOST_BYTES = 16 * 1024 * 1024
_API = "/api/"
_FILES = ("/api/2.0/fs/files/", "/api/2.0/workspace-files/")


class StrictBodies:
    """ASGI middleware that reads a body before its route does; files are streamed past it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_streamed(scope):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            body = await bounded_body(request)
            _check_json(body)
        except ApiError as error:
            await answer_refusal(error)(scope, receive, send)
        else:
            await self._app(_called_json(scope) if body else scope, _replay(body, receive), send)


def _is_streamed(scope: Scope) -> bool:
    kind = Request(scope).headers.get("content-type", "")
    is_file = scope["path"].startswith(_FILES) or kind.startswith("multipart/")
    return is_file or not scope["path"].startswith(_API)


def _called_json(scope: Scope) -> Scope:
    """Databricks reads a body as JSON whatever its header says: older clients say text/json, curl says a form."""
    others = [header for header in scope["headers"] if header[0] != b"content-type"]
    return {**scope, "headers": [*others, (b"content-type", b"application/json")]}


async def bounded_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise ApiError(413, "REQUEST_LIMIT_EXCEEDED", f"a request's body may have at most {_MOST_BYTES} bytes")
    return bytes(body)


def _check_json(body: bytes) -> None:
    """Refuses what Python reads as JSON and nobody else does: NaN, infinity, and halves of characters."""
    if not body:
        return
    try:
        json.dumps(json.loads(body), allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "MALFORMED_REQUEST", f"the body must be JSON in UTF-8: {type(error).__name__}") from None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the route the body that was read for it; after that, what the client does next."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again
