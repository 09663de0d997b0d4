"""The whole chain once, on one machine: events, every DAG, the report."""

import dataclasses
import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.status import Status

from localcloud.airflow.client import ADMIN, AirflowClient, DagRun
from localcloud.errors import LocalCloudError
from localcloud.home import Home

RUN_LIMIT_SECONDS = 600.0
_POLL_SECONDS = 1.0
_DONE = {"success", "skipped"}


@dataclass(frozen=True)
class Volume:
    """How much of a bookstore the demo plays: a year that ends yesterday."""

    customers: int = 2_000
    books: int = 500
    orders: int = 30_000
    seed: int = 7
    late: float = 0.02
    duplicates: float = 0.02
    malformed: float = 0.005
    end: dt.date = field(default_factory=lambda: dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1))

    @property
    def start(self) -> dt.date:
        return self.end - dt.timedelta(days=364)

    def arguments(self) -> list[str]:
        """The same as words for `localcloud produce`."""
        values = {**dataclasses.asdict(self), "start": self.start}
        return [f"--{name}={value}" for name, value in values.items()]


class Stages:
    """Shows what is going on, and what each stage took."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._began = time.monotonic()

    @contextmanager
    def stage(self, title: str) -> Iterator[Status]:
        began = time.monotonic()
        with self.console.status(f"{title} …") as status:
            yield status
        self.console.print(f"[green]✓[/green] {title} [dim]{time.monotonic() - began:.0f} s[/dim]")

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began


def run_chain(home: Home, volume: Volume, stages: Stages) -> None:
    """Runs every DAG of the chain on what is in Kafka, in the order in which data flows.

    RFM of the last day comes first, since K-Means is trained on it; the same partition is then run again, now with a
    champion to give every customer a segment.

    Raises:
        LocalCloudError: A run failed or took too long.
    """
    partition = volume.end.isoformat()
    with AirflowClient(home) as airflow:
        for dag_id in ("refresh_silver", "ingest_events", "segment_customers", "train_kmeans"):
            airflow.unpause(dag_id)
        with stages.stage("ingest_events: Kafka to bronze") as status:
            earlier = {run.run_id for run in airflow.runs("refresh_silver")}
            _follow(airflow, airflow.trigger("ingest_events"), status)
        with stages.stage("refresh_silver: customers, books and orders") as status:
            _follow(airflow, _run_after(airflow, "refresh_silver", earlier), status)
        with stages.stage(f"segment_customers: RFM as of {partition}") as status:
            _follow(airflow, airflow.trigger("segment_customers", partition_key=partition), status)
        with stages.stage("train_kmeans: a champion model") as status:
            _follow(airflow, airflow.trigger("train_kmeans", conf={"snapshot_date": partition}), status)
        with stages.stage(f"segment_customers: segments and report as of {partition}") as status:
            _follow(airflow, airflow.trigger("segment_customers", partition_key=partition), status)


def show_next_steps(home: Home, report: Path, stages: Stages) -> None:
    """Says where everything is, and what to try next."""
    say = stages.console.print
    say(f"\n[bold]Done in {stages.elapsed:.0f} s.[/bold] Segmented customers, the whole way from Kafka:\n")
    say(f"  report        {report.as_uri()}", soft_wrap=True)
    say(
        f"  Airflow       http://127.0.0.1:{home.port('airflow')}  "
        f"(user {ADMIN}, password in {home.secrets / 'airflow-admin-password'})",
        soft_wrap=True,
    )
    say(
        f"  Databricks    http://127.0.0.1:{home.port('workspace')}  "
        f"(every run's page; token in {home.secrets / 'databricks-token'})",
        soft_wrap=True,
    )
    say('\nNext: [bold].venv/bin/localcloud sql "SELECT * FROM gold.segment_profiles"[/bold]')
    say("      [bold].venv/bin/localcloud status[/bold] shows the services, [bold]make down[/bold] stops them.")


def _follow(airflow: AirflowClient, run: DagRun, status: Status) -> DagRun:
    def show(states: dict[str, str | None]) -> None:
        active = [task for task, state in states.items() if state not in _DONE and state is not None]
        done = sum(state in _DONE for state in states.values())
        status.update(f"{run.dag_id}: {done} of {len(states)} tasks done, now {', '.join(active) or 'scheduling'}")

    return airflow.wait(run, timeout=RUN_LIMIT_SECONDS, on_progress=show)


def _run_after(airflow: AirflowClient, dag_id: str, earlier: set[str]) -> DagRun:
    """The first run of the DAG that isn't among `earlier` ones: an asset event starts it a moment after ingest."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        fresh = [run for run in airflow.runs(dag_id) if run.run_id not in earlier]
        if fresh:
            return fresh[-1]
        time.sleep(_POLL_SECONDS)
    raise LocalCloudError(
        f"{dag_id} should start within 60 s of rows arriving in bronze and has not: "
        f"see the run of ingest_events at {airflow.url}/dags/ingest_events"
    )
