"""Faults on demand: a route that fails some times before it works, to see what its callers make of it."""

import re
import threading
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localcloud.databricks.errors import ApiError, answer_refusal

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


@dataclass
class Faults:
    """The faults that were asked for and haven't happened yet."""

    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def to_come(self) -> list[Fault]:
        return list(self._faults)

    def next_for(self, path: str) -> Fault | None:
        """The fault that this request meets, which then has one time less to come."""
        with self._lock:
            found = next((fault for fault in self._faults if fault.concerns(path)), None)
            if found is not None:
                found.times -= 1
                self._faults = [fault for fault in self._faults if fault.times > 0]
            return found


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
