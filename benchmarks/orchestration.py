"""What Airflow and the local Databricks add to the steps themselves."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localcloud import certificates
from localcloud.home import Home
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


def parsing() -> dict[str, float]:
    """Of each DAG file, its median seconds in a new process that has imported Airflow and the providers."""
    return {file.name: statistics.median(_parse(file) for _ in range(_PARSES)) for file in sorted(_DAGS.glob("*.py"))}


def _seconds_to_first_line(server: Server) -> float:
    """The task prints the time."""
    began = time.time()
    (printed,) = server.logs(server.run(step("first_line"))).values()
    return float(printed) - began


def _parse(file: Path) -> float:
    done = subprocess.run([sys.executable, "-c", _PARSE, file], capture_output=True, text=True, check=True)
    seconds: float = json.loads(done.stdout.splitlines()[-1])
    return seconds


def _waits(seconds: Sequence[float]) -> Waits:
    return Waits(p50=statistics.median(seconds), p95=statistics.quantiles(seconds, n=20)[18])
