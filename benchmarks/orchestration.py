"""What Airflow and the local Databricks add to the steps themselves."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import day
from benchmarks.harness import Figures, percentiles
from localcloud.home import Home
from tests.cloud import Cloud
from tests.localcloud.databricks.server import Server, prepared_server, step

_SUBMISSIONS = 30
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


def submitting() -> Figures:
    """Seconds from `runs/submit` to the first line that the task prints, on a cluster that is up."""
    with tempfile.TemporaryDirectory() as folder, prepared_server(Path(folder)) as server:
        seconds = [_seconds_to_first_line(server) for _ in range(_WARM_UP + _SUBMISSIONS)]
    return percentiles(seconds[_WARM_UP:], 50, 95)


def playing() -> Figures:
    """`localcloud demo` as a user types it, on a cloud that has done the same before."""
    with _played_demo() as cloud:
        began = time.time()
        cloud.localcloud("demo")
        ended = time.time()
        without_task = _gaps(_tasks(cloud), began, ended)
    return {"seconds": ended - began, "without a task": without_task, "share": without_task / (ended - began)}


def living_a_day() -> Figures:
    """Seconds for a day's events to go from Kafka to the report: by the DAGs, and by a cold Spark for each step."""
    with _played_demo() as cloud:
        by_dags, steps = day.by_dags(cloud)
        cold = day.by_cold_sparks(cloud, steps)
    return {
        "steps": len(steps),
        "by the DAGs": by_dags,
        "by a cold Spark for each": cold,
        "times as long": cold / by_dags,
    }


@contextmanager
def _played_demo() -> Iterator[Cloud]:
    """A cloud on which the demo has run once."""
    with tempfile.TemporaryDirectory() as folder:
        cloud = Cloud(Home(Path(folder) / "home"))
        try:
            cloud.localcloud("demo")
            yield cloud
        finally:
            cloud.localcloud("down")


def _gaps(busy: Iterable[tuple[float, float]], began: float, ended: float) -> float:
    """How much of the time is in none of the intervals, which may overlap."""
    idle, until = 0.0, began
    for start, end in sorted(busy):
        idle += max(0.0, start - until)
        until = max(until, end)
    return idle + max(0.0, ended - until)


def parsing() -> Figures:
    """Of each DAG file, its median seconds in a new process that has imported Airflow and the providers."""
    return {file.name: statistics.median(_parse(file) for _ in range(_PARSES)) for file in sorted(_DAGS.glob("*.py"))}


def _seconds_to_first_line(server: Server) -> float:
    """The task prints the time."""
    began = time.time()
    (printed,) = server.logs(server.run(step("first_line"))).values()
    return float(printed) - began


def _tasks(cloud: Cloud) -> Iterator[tuple[float, float]]:
    """From when to when each task ran on a cluster that was up."""
    for run in cloud.databricks().jobs.list_runs(expand_tasks=True):
        for task in run.tasks or []:
            yield ((task.start_time or 0) + (task.setup_duration or 0)) / 1_000, (task.end_time or 0) / 1_000


def _parse(file: Path) -> float:
    done = subprocess.run([sys.executable, "-c", _PARSE, file], capture_output=True, text=True, check=True)
    seconds: float = json.loads(done.stdout.splitlines()[-1])
    return seconds
