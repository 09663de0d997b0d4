"""Processes of contenders, and the most memory that they have had."""

import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

import psutil

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class OwnProcess:
    """A process for one contender, which stays for all its rounds."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def run(
        self, function: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        return self._pool.submit(function, *arguments, **named).result()

    def peak_mb(self) -> float:
        return self.run(own_peak_mb)


def own_peak_mb() -> float:
    """Of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def spark_peak_mb() -> float:
    """Of the JVM that this process has started."""
    java = next(child for child in psutil.Process().children(recursive=True) if "java" in child.name())
    status = dict(line.split(":", 1) for line in Path(f"/proc/{java.pid}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024
