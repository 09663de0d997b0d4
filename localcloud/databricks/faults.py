"""Faults on demand: a route that fails some times before it works, to see what its callers make of it."""

import re
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localcloud.databricks.errors import ApiError, answer_refusal
from localcloud.databricks.fault_queue import FaultQueue

_CODES = {
    400: "COULD_NOT_ACQUIRE_LOCK",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}


@dataclass
class Fault:
    """One route's failures to come.

    Attributes:
        route: A path such as `jobs/runs/submit`, with or without what comes before it.
        times: How often it still fails.
        works: Whether the route does its work all the same, and only its answer is lost.
    """

    route: str
    status: int
    times: int
    works: bool = False

    def concerns(self, path: str) -> bool:
        return re.search(rf"(^|/){re.escape(self.route.strip('/'))}(/|$)", path) is not None

    def error(self) -> ApiError:
        code = _CODES.get(self.status, "INTERNAL_ERROR")
        return ApiError(self.status, code, f"a fault on demand: {self.route} fails {self.times} more times")


class Faults(FaultQueue[Fault]):
    """Those of routes."""

    def next_for(self, path: str) -> Fault | None:
        """The fault that this request meets."""
        return self.next(lambda fault: fault.concerns(path))


class FailsOnDemand:
    """ASGI middleware that answers in place of a route which is to fail."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._faults.next_for(scope["path"]) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.works:
            await self._app(scope, receive, _lose)
        await answer_refusal(fault.error())(scope, receive, send)


async def _lose(_: Message) -> None:
    """Where an answer goes that the client doesn't get."""
