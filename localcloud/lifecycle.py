"""Bringing all services up and down."""

import fcntl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from localcloud import certificates, preflight, processes, supervision
from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.services import registry
from localcloud.services.service import Group, Service
from localcloud.waiting import wait_until

# On a busy laptop Airflow's imports alone take most of a minute.
_LIMIT_SECONDS = 240
_LOG_LINES = 20

Item = TypeVar("Item")
Report = Callable[[str, float, str], None]
"""Told what is done, after how many seconds, and where it is now."""


def up(home: Home, given_ports: Mapping[str, int], report: Report) -> None:
    """Starts what isn't running and waits until everything works; a cloud that didn't run before is stopped on failure.

    Raises:
        LocalCloudError: Something is missing or doesn't start; says what to do.
    """
    is_new = not (home.exists and supervision.is_running(home))
    _settle_ports(home, given_ports, is_new=is_new)
    certificates.create(home)
    with _alone(home):
        try:
            if is_new:
                _start_supervisor(home, report)
            _bring_up(home, report)
        except BaseException:
            if is_new:
                _stop(home)
            raise


def down(home: Home) -> bool:
    """Stops everything that runs for the home, and nothing else; says whether anything did."""
    if not home.exists:
        return False
    with _alone(home):
        return _stop(home)


def _settle_ports(home: Home, given: Mapping[str, int], *, is_new: bool) -> None:
    if not is_new and not given.items() <= home.ports().items():
        raise LocalCloudError(
            "Ports can be changed while the local cloud is down, and it is up: `localcloud down` first"
        )
    home.create(given)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
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
        report(f"stopped {leftovers} processes that an earlier run left", time.monotonic() - began, "")
    preflight.check_machine(home)
    preflight.check_ports(home)
    supervision.start(home, registry.NAMES)


def _stop(home: Home) -> bool:
    was_up = supervision.is_running(home)
    if was_up:
        supervision.shut_down(home)
    # Clusters and tasks have sessions of their own, so that they survive a restart of the workspace; not this one.
    return processes.stop(home) > 0 or was_up


def _bring_up(home: Home, report: Report) -> None:
    """Starts all groups at once; the first failure ends the wait for the others."""
    groups = registry.groups(home)
    abandoned = threading.Event()
    starting = _Starting(home, report, abandoned)
    with ThreadPoolExecutor(len(registry.NAMES) + len(groups)) as executor:
        try:
            _wait_all(executor, starting.start_group, groups)
        except BaseException:
            abandoned.set()
            raise


class _Starting:
    """One attempt to bring services up."""

    def __init__(self, home: Home, report: Report, abandoned: threading.Event) -> None:
        self._home = home
        self._report = report
        self._abandoned = abandoned

    def start_group(self, group: Group) -> None:
        began = time.monotonic()
        group.prepare()
        if not self._abandoned.is_set():
            with ThreadPoolExecutor(len(group.services)) as executor:
                _wait_all(executor, lambda service: self._start_service(service, began), group.services)

    def _start_service(self, service: Service, began: float) -> None:
        supervision.start_service(self._home, service.name)
        try:
            wait_until(lambda: self._is_settled(service), f"{service.name} should answer{_at(service)}", _LIMIT_SECONDS)
        except LocalCloudError as error:
            raise LocalCloudError(f"{error}.\n{self._log_tail(service)}") from None
        if not self._abandoned.is_set():
            service.initialise()
            self._report(service.name, time.monotonic() - began, service.address)

    def _is_settled(self, service: Service) -> bool:
        """Whether there is nothing to wait for any more."""
        if self._abandoned.is_set() or service.is_healthy():
            return True
        state = supervision.state(self._home, service.name)
        if state.has_given_up:
            raise LocalCloudError(f"{service.name} should run{_at(service)}, and it doesn't: {state.description}")
        return False

    def _log_tail(self, service: Service) -> str:
        path = supervision.log(self._home, service.name)
        return f"The end of its log, {path}:\n{_tail(path)}\nMend what it says and run `localcloud up` again."


def _at(service: Service) -> str:
    return f" at {service.address}" if service.address else ""


def _tail(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join(f"  {line}" for line in lines[-_LOG_LINES:]) or "  (nothing)"


def _wait_all(executor: ThreadPoolExecutor, act: Callable[[Item], None], items: tuple[Item, ...]) -> None:
    futures = [executor.submit(act, item) for item in items]
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()
