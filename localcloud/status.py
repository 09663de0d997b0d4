"""How each service is doing."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from localcloud import supervision
from localcloud.home import Home
from localcloud.services import registry
from localcloud.services.service import Service


@dataclass(frozen=True)
class Status:
    """One line of `localcloud status`.

    Attributes:
        service: The service's name.
        state: `up`, `down`, or why it is neither.
        address: Where it is.
        since: How long it has been running, e.g. `0:12:31`; empty when it isn't.
    """

    service: str
    state: str
    address: str
    since: str = ""

    @property
    def is_up(self) -> bool:
        return self.state == "up"


def read_status(home: Home) -> list[Status]:
    """Asks all services at once, each as a client would."""
    services = list(registry.services(home).values())
    if not supervision.is_running(home):
        return [Status(service.name, "down", service.address) for service in services]
    with ThreadPoolExecutor(len(services)) as executor:
        return list(executor.map(lambda service: _status(home, service), services))


def _status(home: Home, service: Service) -> Status:
    state = supervision.state(home, service.name)
    if not state.is_running:
        return Status(service.name, f"down: {state.description}", service.address)
    since = str(dt.timedelta(seconds=round(state.uptime)))
    return Status(service.name, "up" if service.is_healthy() else "runs, but doesn't answer", service.address, since)
