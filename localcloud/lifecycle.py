"""Bringing all services up and down."""

import fcntl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from localcloud import certificates, preflight, processes, supervision
from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.services import registry
from localcloud.starting import Attempt, Report


def up(home: Home, given_ports: Mapping[str, int], report: Report) -> None:
    """Starts what isn't running and waits until everything works; a cloud that didn't run before is stopped on failure.

    Raises:
        LocalCloudError: Something is missing or doesn't start; says what to do.
    """
    is_new = not (home.exists and supervision.is_running(home))
    _settle_ports(home, given_ports, is_new=is_new)
    certificates.create(home)
    with alone(home):
        try:
            if is_new:
                _start_supervisor(home, report)
            Attempt(home, report).run()
        except BaseException:
            if is_new:
                _stop(home)
            raise


def down(home: Home) -> bool:
    """Stops everything that runs for the home, and nothing else; says whether anything did."""
    if not home.exists:
        return False
    with alone(home):
        return _stop(home)


def _settle_ports(home: Home, given: Mapping[str, int], *, is_new: bool) -> None:
    if not is_new and not given.items() <= home.ports().items():
        raise LocalCloudError(
            "Ports can be changed while the local cloud is down, and it is up: `localcloud down` first"
        )
    home.create(given)


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Two commands at once would each stop what the other starts."""
    with (home.run / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalCloudError(
                f"One command at a time may start or stop {home.root}, and another is at it: try again when it is done"
            ) from None
        yield


def _start_supervisor(home: Home, report: Report) -> None:
    began = time.monotonic()
    leftovers = processes.stop(home)
    if leftovers:
        report(f"stopped leftovers of an earlier run: {leftovers}", time.monotonic() - began, "")
    preflight.check_machine(home)
    preflight.check_ports(home)
    supervision.start(home, registry.NAMES)


def _stop(home: Home) -> bool:
    was_up = supervision.is_running(home)
    if was_up:
        supervision.shut_down(home)
    # Clusters and tasks have sessions of their own, so that they survive a restart of the workspace; not this one.
    return processes.stop(home) > 0 or was_up
