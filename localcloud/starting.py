"""Starting all services at once, and waiting until each of them works."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TypeVar

from localcloud import supervision
from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.services import registry
from localcloud.services.service import Group, Service
from localcloud.waiting import wait_until

# Who crashes is noticed at once; this is for who hangs, on a machine so busy that Airflow's imports take minutes.
_LIMIT_SECONDS = 600
_LOG_LINES = 20

Item = TypeVar("Item")
Report = Callable[[str, float, str], None]
"""Told what is done, after how many seconds, and where it is now."""


class Attempt:
    """One attempt to bring all services up; the first failure ends it."""

    def __init__(self, home: Home, report: Report) -> None:
        self._home = home
        self._report = report
        self._abandoned = threading.Event()

    def run(self) -> None:
        """Returns when everything works.

        Raises:
            LocalCloudError: A service doesn't start; has the end of its log.
        """
        self._at_once(self._start_group, registry.groups(self._home))

    def _start_group(self, group: Group) -> None:
        began = time.monotonic()
        group.prepare()
        if not self._abandoned.is_set():
            self._at_once(lambda service: self._start_service(service, began), group.services)

    def _start_service(self, service: Service, began: float) -> None:
        try:
            self._wait_for(service)
        except LocalCloudError as error:
            raise LocalCloudError(f"{error}.\n{self._log_tail(service)}") from None
        if not self._abandoned.is_set():
            service.initialise()
            self._report(service.name, time.monotonic() - began, service.address)

    def _wait_for(self, service: Service) -> None:
        supervision.start_service(self._home, service.name)
        pid = supervision.state(self._home, service.name).pid
        expectation = f"{service.name} should answer{_at(service)}"
        wait_until(lambda: self._is_settled(service, pid), expectation, _LIMIT_SECONDS)

    def _is_settled(self, service: Service, pid: int) -> bool:
        """Whether there is nothing to wait for any more."""
        state = supervision.state(self._home, service.name)
        if state.pid != pid or not pid:
            raise LocalCloudError(f"{service.name} should run{_at(service)}, and it ended: {state.description}")
        return self._abandoned.is_set() or service.is_healthy()

    def _at_once(self, act: Callable[[Item], None], items: tuple[Item, ...]) -> None:
        """Acts on all items side by side; the first error, Ctrl-C included, tells the others to stop waiting."""
        with ThreadPoolExecutor(len(items)) as executor:
            try:
                done, _ = wait([executor.submit(act, item) for item in items], return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            except BaseException:
                self._abandoned.set()
                raise

    def _log_tail(self, service: Service) -> str:
        path = supervision.log(self._home, service.name)
        return f"The end of its log, {path}:\n{_tail(path)}\nMend what it says and run `localcloud up` again."


def _at(service: Service) -> str:
    return f" at {service.address}" if service.address else ""


def _tail(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join(f"  {line}" for line in lines[-_LOG_LINES:]) or "  (nothing)"
