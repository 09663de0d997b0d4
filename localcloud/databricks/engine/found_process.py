"""Processes that an earlier workspace server started: they can be watched and ended, but tell no exit code."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import psutil

from localcloud.home import write_private

_UNKNOWN = -9


class Process(Protocol):
    """What is used here of a process, whoever started it."""

    pid: int

    @property
    def returncode(self) -> int | Any: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class FoundProcess:
    """A process that isn't this one's child.

    Args:
        process: The process; none if it is over.
        exit_file: Where it leaves its exit code when it ends by itself; one that was killed leaves none.
    """

    def __init__(self, process: psutil.Process | None, pid: int, exit_file: Path) -> None:
        self._process = process
        self.pid = pid
        self._exit_file = exit_file

    @property
    def returncode(self) -> int:
        try:
            return int(self._exit_file.read_text())
        except (FileNotFoundError, ValueError):
            return _UNKNOWN

    def poll(self) -> int | None:
        return None if self._process is not None and is_alive(self._process) else self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """As of a child: raises `psutil.TimeoutExpired` when the time is over."""
        if self._process is not None:
            self._process.wait(timeout)
        return self.returncode


def remember(file: Path, pid: int, **details: Any) -> None:
    """Writes down a process so that it can be found again."""
    with suppress(psutil.NoSuchProcess):  # already over: nobody will look for it
        write_private(file, json.dumps({"pid": pid, "created": psutil.Process(pid).create_time(), **details}))


def find(file: Path, exit_file: Path) -> tuple[FoundProcess, dict[str, Any]] | None:
    """The process that was written down, and what with it; none where nothing was."""
    try:
        told: dict[str, Any] = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return FoundProcess(_living(told), told["pid"], exit_file), told


def _living(told: dict[str, Any]) -> psutil.Process | None:
    """The process, unless it is over: its number may be another's by now."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(told["pid"])
        if process.create_time() == told["created"] and is_alive(process):
            return process
    return None


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
