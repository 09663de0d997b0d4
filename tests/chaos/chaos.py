"""Faults of a running local cloud, one after the other, each after some more of the storage's requests.

The requests are the clock: a fault comes while a job is at work, however fast the machine is.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random

from localcloud import processes, supervision
from localcloud.home import Home
from tests.processes import command
from tests.storage_faults import Plan, Request, Verdict, nothing_fails

log = logging.getLogger(__name__)

Find = Callable[[], int]
"""A process by its id; 0 while there is none."""
LONGEST_SECONDS = 4.0
"""How long a process stands still, at most."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        strike: Does it; says no while what it concerns isn't there.
    """

    name: str
    strike: Callable[[], bool]


class Chaos:
    """A plan for `StorageProxy` that does the faults of the names given, and tells about each.

    Args:
        home: The cloud.
        names: In which order.
        random: When, and for how long.
        gap: Between two faults there are as many requests, at most.
        spell: So many requests in a row the storage refuses, holds up or doesn't answer, at most. After each that it
            doesn't answer the client waits for seconds.
    """

    def __init__(self, home: Home, names: Sequence[str], random: Random, *, gap: int, spell: int) -> None:
        self._faults = [_fault(self, home, name, random, spell) for name in names]
        self._random = random
        self._gap = gap
        self._lock = threading.Lock()
        self._requests_to_go = random.randint(1, gap)
        self._weather: Plan = nothing_fails
        self._weather_lasts = 0

    @property
    def is_over(self) -> bool:
        return not self._faults and not self._weather_lasts

    def __call__(self, request: Request) -> Verdict:
        with self._lock:
            self._requests_to_go -= 1
            if self._faults and self._requests_to_go <= 0 and self._faults[0].strike():
                log.warning("request %d: %s", request.number, self._faults.pop(0).name)
                self._requests_to_go = self._random.randint(1, self._gap)
            weather = self._weather if self._weather_lasts else nothing_fails
            self._weather_lasts = max(0, self._weather_lasts - 1)
        return weather(request)

    def set_weather(self, weather: Plan, requests: int) -> bool:
        """What becomes of the next so many requests; says no while that of before lasts."""
        if self._weather_lasts:
            return False
        self._weather, self._weather_lasts = weather, requests
        return True


def _fault(chaos: Chaos, home: Home, name: str, random: Random, spell: int) -> Fault:
    """A fault by a name such as `kill the broker` or `storage refuses`."""
    verb, _, what = name.partition(" ")
    if verb == "storage":
        return Fault(name, partial(chaos.set_weather, _weather(what, random), random.randint(1, spell)))
    find = _finders(home)[what]
    if verb == "kill":
        return Fault(name, lambda: _signal(find(), signal.SIGKILL))
    seconds = random.uniform(0.5, LONGEST_SECONDS)
    return Fault(f"{name} for {seconds:.1f} s", lambda: _freeze(find(), seconds))


def _weather(what: str, random: Random) -> Plan:
    seconds = random.uniform(0.05, 0.5)

    def delay(_: Request) -> Verdict:
        threading.Event().wait(seconds)
        return Verdict.PASS

    weathers: dict[str, Plan] = {
        "refuses": lambda _: Verdict.REFUSE,
        "delays": delay,
        "does not answer": lambda _: Verdict.LOSE_ANSWER,
    }
    return weathers[what]


def _finders(home: Home) -> dict[str, Find]:
    return {
        "the job": partial(_process, home, "launch.py"),
        "the cluster": partial(_process, home, "SparkConnectServer"),
        "the workspace": lambda: supervision.state(home, "workspace").pid,
        "the broker": lambda: supervision.state(home, "kafka").pid,
        "the storage": lambda: supervision.state(home, "azurite").pid,
    }


ALL = (
    *(f"{verb} {what}" for verb in ("kill", "freeze") for what in ("the job", "the cluster", "the workspace")),
    *("kill the broker", "freeze the broker", "kill the storage"),
    *("storage refuses", "storage delays", "storage does not answer"),
)
"""Every kind of fault."""


def _process(home: Home, part: str) -> int:
    """The home's process with that in its command."""
    for process in processes.of(home):
        if any(part in argument for argument in command(process)):
            return process.pid
    return 0


def _signal(pid: int, number: signal.Signals) -> bool:
    with suppress(ProcessLookupError):
        if pid:
            os.kill(pid, number)
            return True
    return False


def _freeze(pid: int, seconds: float) -> bool:
    is_frozen = _signal(pid, signal.SIGSTOP)
    if is_frozen:
        threading.Timer(seconds, _signal, (pid, signal.SIGCONT)).start()
    return is_frozen
