"""What Airflow and the local Databricks add to the steps themselves."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from databricks.sdk import WorkspaceClient

from localcloud import certificates
from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.ports import HOST
from tests.localcloud.databricks.server import Server, step

SUBMISSIONS = 30
_DAGS = Path(__file__).parents[1] / "dags"
_WARM_UP = 3
_PARSES = 5
# What a DAG file's own parsing is measured beyond: Airflow and the providers' operators.
_PARSE = """
import json, runpy, sys, time
import airflow.sdk
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator
from airflow.providers.microsoft.azure.hooks.base_azure import AzureBaseHook
began = time.perf_counter()
runpy.run_path(sys.argv[1])
print(json.dumps(time.perf_counter() - began))
"""


@dataclass(frozen=True)
class Waits:
    """Seconds."""

    p50: float
    p95: float


def submitting() -> Waits:
    """From `runs/submit` to the first line that the task prints, on a cluster that is up."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        home.create()
        certificates.create(home)
        server = Server(home)
        server.start()
        try:
            server.prepare()
            seconds = [_seconds_to_first_line(server) for _ in range(_WARM_UP + SUBMISSIONS)]
        finally:
            server.stop()
    return _waits(seconds[_WARM_UP:])


@dataclass(frozen=True)
class Chain:
    """Seconds that the demo took, and those of them in which no task ran on Databricks."""

    seconds: float
    without_task: float

    @property
    def share(self) -> float:
        return self.without_task / self.seconds


def playing() -> Chain:
    """`localcloud demo`, on a cloud of its own that has done the same before."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        try:
            _localcloud("demo", home)
            began = time.time()
            _localcloud("demo", home)
            ended = time.time()
            busy = [interval for interval in _tasks(home) if interval[0] > began]
        finally:
            _localcloud("down", home)
    return Chain(ended - began, gaps(busy, began, ended))


def gaps(busy: Iterable[tuple[float, float]], began: float, ended: float) -> float:
    """How much of the time is in none of the intervals, which may overlap."""
    idle, until = 0.0, began
    for start, end in sorted(busy):
        idle += max(0.0, start - until)
        until = max(until, end)
    return idle + max(0.0, ended - until)


def parsing() -> dict[str, float]:
    """Of each DAG file, its median seconds in a new process that has imported Airflow and the providers."""
    return {file.name: statistics.median(_parse(file) for _ in range(_PARSES)) for file in sorted(_DAGS.glob("*.py"))}


def _seconds_to_first_line(server: Server) -> float:
    """The task prints the time."""
    began = time.time()
    (printed,) = server.logs(server.run(step("first_line"))).values()
    return float(printed) - began


def _localcloud(command: str, home: Home) -> None:
    """As a user types it: what it prints is shown if it fails."""
    words = [Path(sys.executable).with_name("localcloud"), command, "--home", home.root]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise LocalCloudError(f"localcloud {command} failed:\n{done.stdout}")


def _tasks(home: Home) -> Iterator[tuple[float, float]]:
    """From when to when each task ran on a cluster that was up."""
    client = WorkspaceClient(host=f"http://{HOST}:{home.port('workspace')}", token=home.secret("databricks-token"))
    for run in client.jobs.list_runs(expand_tasks=True):
        for task in run.tasks or []:
            yield ((task.start_time or 0) + (task.setup_duration or 0)) / 1_000, (task.end_time or 0) / 1_000


def _parse(file: Path) -> float:
    done = subprocess.run([sys.executable, "-c", _PARSE, file], capture_output=True, text=True, check=True)
    seconds: float = json.loads(done.stdout.splitlines()[-1])
    return seconds


def _waits(seconds: Sequence[float]) -> Waits:
    return Waits(p50=statistics.median(seconds), p95=statistics.quantiles(seconds, n=20)[18])
