"""`localcloud demo`: the whole chain once, on one machine: events, every DAG, the report."""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.status import Status

from localcloud import lifecycle
from localcloud.airflow.client import ADMIN, DONE, AirflowClient, DagRun
from localcloud.bookstore.plan import Disorder, Plan
from localcloud.bookstore.production import produce_bookstore
from localcloud.home import Home
from localcloud.report import write_newest_report
from localcloud.services.kafka import bootstrap_servers
from localcloud.waiting import wait_until

RUN_LIMIT_SECONDS = 600.0
_ASSET_LIMIT_SECONDS = 120.0


DISORDER = Disorder(late=0.02, duplicates=0.02, malformed=0.005)


def plan_of_a_year() -> Plan:
    """The bookstore that the demo plays: a year that ends yesterday."""
    end = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    start = end - dt.timedelta(days=364)
    return Plan(customers=1_000, books=300, orders=15_000, start=start, end=end, seed=7)


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


def play(home: Home, plan: Plan, console: Console) -> None:
    """Starts the local cloud, plays the bookstore's history through every DAG, and says where everything is.

    Raises:
        LocalCloudError: Something doesn't start, or a run failed.
    """
    stages = Stages(console)
    with stages.stage("the local cloud: Kafka, Azurite, Key Vault, Databricks, Airflow") as status:
        lifecycle.up(home, {}, lambda service, _, where: status.update(f"{service} is up {where}"))
    with stages.stage(f"a bookstore's history: {plan.orders:,} orders of {plan.customers:,} customers") as status:
        messages = _produce(home, plan, status)
    run_chain(home, plan.end, messages, stages)
    with stages.stage("the report"):
        report = write_newest_report(home)
    show_next_steps(home, report, stages)


def run_chain(home: Home, last_day: dt.date, messages: int, stages: Stages) -> None:
    """Runs every DAG of the chain on what is in Kafka, in the order in which data flows.

    RFM of the last day comes first, since K-Means is trained on it, while that run goes on without the new model. Its
    tasks that lacked it are then cleared, as an operator would, and done again.

    Args:
        home: The local cloud.
        last_day: The partition.
        messages: How many of them wait in Kafka.
        stages: Shows the progress.

    Raises:
        LocalCloudError: A run failed or took too long.
    """
    partition = last_day.isoformat()
    with AirflowClient(home) as airflow:
        for dag_id in ("refresh_silver", "ingest_events", "segment_customers", "train_kmeans"):
            airflow.unpause(dag_id)
        bring_to_silver(airflow, messages, stages)
        with stages.stage(f"segment_customers: RFM as of {partition}") as status:
            labelling = airflow.trigger("segment_customers", partition_key=partition)
            _follow(airflow, labelling, status, until="aggregate_rfm")
        with stages.stage("train_kmeans: a champion model") as status:
            trained = _follow(airflow, airflow.trigger("train_kmeans", conf={"snapshot_date": partition}), status)
        with stages.stage(f"segment_customers: segments and report as of {partition}") as status:
            labelled = _follow(airflow, labelling, status)
            if not _has_labels_of(airflow, labelled, trained):
                _follow(airflow, airflow.clear(labelled, "assign_segments"), status)


def bring_to_silver(airflow: AirflowClient, messages: int, stages: Stages) -> None:
    """Runs `ingest_events`, and waits for the run of `refresh_silver` that its rows start.

    Args:
        airflow: Where the DAGs are, not paused.
        messages: How many of them wait in Kafka.
        stages: Shows the progress.

    Raises:
        LocalCloudError: A run failed or took too long.
    """
    with stages.stage("ingest_events: Kafka to bronze") as status:
        refreshed = {run.run_id for run in airflow.runs("refresh_silver") if run.is_finished}
        rows = _ingest(airflow, messages, status)
    with stages.stage("refresh_silver: customers, books and orders") as status:
        if rows > 0:
            _await_run(airflow, "refresh_silver", refreshed)
        for run in airflow.runs("refresh_silver"):
            if run.run_id not in refreshed:
                _follow(airflow, run, status)


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


def _produce(home: Home, plan: Plan, status: Status) -> int:
    def show(topic: str, sent: int, total: int) -> None:
        status.update(f"{topic}: {sent:,} of {total:,} events")

    return produce_bookstore(bootstrap_servers(home), plan, DISORDER, show).messages


def _ingest(airflow: AirflowClient, messages: int, status: Status) -> int:
    """Brings what was sent to bronze; a run that the schedule has begun may have taken all of it already.

    Returns:
        How many rows came to bronze.
    """
    begun = [run for run in airflow.runs("ingest_events") if not run.is_finished]
    results = [airflow.xcom(_follow(airflow, run, status), "ingest_events") for run in begun]
    if sum(result["rows"] + result["quarantined"] for result in results) < messages:
        run = _follow(airflow, airflow.trigger("ingest_events"), status)
        results.append(airflow.xcom(run, "ingest_events"))
    return sum(result["rows"] for result in results)


def _has_labels_of(airflow: AirflowClient, labelled: DagRun, trained: DagRun) -> bool:
    """Whether a run of segment_customers found the model that a run of train_kmeans has made."""
    if airflow.task_states(labelled)["assign_segments"] == "skipped":
        return False
    results = airflow.xcom(labelled, "assign_segments"), airflow.xcom(trained, "train_kmeans")
    return len({result["model_version"] for result in results}) == 1


def _follow(airflow: AirflowClient, run: DagRun, status: Status, until: str | None = None) -> DagRun:
    def show(states: dict[str, str | None]) -> None:
        active = [task for task, state in states.items() if state not in DONE and state is not None]
        done = sum(state in DONE for state in states.values())
        status.update(f"{run.dag_id}: {done} of {len(states)} tasks done, now {', '.join(active) or 'scheduling'}")

    return airflow.wait(run, timeout=RUN_LIMIT_SECONDS, on_progress=show, until=until)


def _await_run(airflow: AirflowClient, dag_id: str, earlier: set[str]) -> None:
    """Waits for a run of the DAG that isn't among `earlier` ones: an asset event makes it a moment after ingest."""
    wait_until(
        lambda: any(run.run_id not in earlier for run in airflow.runs(dag_id)),
        f"{dag_id} should start after rows arrived in bronze (the run of ingest_events is at {airflow.url})",
        _ASSET_LIMIT_SECONDS,
    )
