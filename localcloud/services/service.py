"""What there is to say of any service."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from localcloud.home import Home

_TIMEOUT_SECONDS = 5


def nothing() -> None:
    """For a service that needs nothing done."""


@dataclass(frozen=True)
class Service:
    """One program of the local cloud.

    Attributes:
        name: How users, logs and the supervisor call it.
        command: What runs; no secret is in it, since every user of the machine can read it.
        address: Where a user finds it.
        is_healthy: Whether it does its work now, asked as a client would ask.
        environment: What it needs to know besides; may hold secrets.
        before_start: What has to be done whenever its process begins, the supervisor's restarts included.
        initialise: What has to be done once it works; does nothing the second time.
    """

    name: str
    command: tuple[str, ...]
    address: str
    is_healthy: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    before_start: Callable[[], None] = nothing
    initialise: Callable[[], None] = nothing


@dataclass(frozen=True)
class Group:
    """Services that start together, once what they share is prepared; groups don't wait for each other.

    Attributes:
        name: What is prepared, for progress.
        services: What starts then.
        prepare: What has to be done before; does little the second time.
    """

    name: str
    services: tuple[Service, ...]
    prepare: Callable[[], None] = nothing


def status_code(url: str, home: Home) -> int | None:
    """What a server of this home answers to a GET; None where none does."""
    response = get(url, home)
    return None if response is None else response.status_code


def get(url: str, home: Home) -> httpx.Response | None:
    """A server's answer to a GET; None where there is none. Proxies are for the outside world and not asked."""
    trust = ssl.create_default_context(cafile=str(home.tls / "ca.pem"))
    try:
        return httpx.get(url, verify=trust, timeout=_TIMEOUT_SECONDS, trust_env=False)
    except httpx.TransportError:
        return None
