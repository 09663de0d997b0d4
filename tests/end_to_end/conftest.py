"""A bookstore's history, played through every DAG once, for all end-to-end tests."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from localcloud.airflow.client import AirflowClient
from localcloud.bookstore.plan import Disorder, Plan
from localcloud.bookstore.production import produce_bookstore
from localcloud.demo import Stages, run_chain
from localcloud.services.kafka import bootstrap_servers
from tests.cloud import Cloud

YESTERDAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
PLAN = Plan(customers=400, books=120, orders=5_000, start=YESTERDAY - dt.timedelta(days=364), end=YESTERDAY, seed=11)
DISORDER = Disorder(late=0.05, duplicates=0.05, malformed=0.02)

QUIET_SECONDS = 300.0


@dataclass(frozen=True)
class Chain:
    """A cloud through which the history went, and the truth about it."""

    cloud: Cloud
    truth: Path
    last_day: dt.date


@pytest.fixture(scope="session")
def chain(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    truth = tmp_path_factory.mktemp("truth")
    production = produce_bookstore(bootstrap_servers(cloud.home), PLAN, DISORDER, lambda *_: None, truth)
    run_chain(cloud.home, PLAN.end, production.messages, Stages(Console()))
    return Chain(cloud, truth, PLAN.end)


@pytest.fixture
def quiet_airflow(chain: Chain) -> Iterator[AirflowClient]:
    """Airflow with nothing going on, and nothing to begin by itself."""
    with AirflowClient(chain.cloud.home) as airflow:
        _pause_between_runs(airflow, "ingest_events")
        _wait_for_runs(airflow, "refresh_silver")
        _wait_for_runs(airflow, "segment_customers")
        yield airflow
        airflow.unpause("ingest_events")


def _pause_between_runs(airflow: AirflowClient, dag_id: str) -> None:
    """Not in the middle of one, which would stand still."""
    _wait_for_runs(airflow, dag_id)
    airflow.pause(dag_id)
    while not all(run.is_finished for run in airflow.runs(dag_id)):
        airflow.unpause(dag_id)
        _wait_for_runs(airflow, dag_id)
        airflow.pause(dag_id)


def _wait_for_runs(airflow: AirflowClient, dag_id: str) -> None:
    for run in airflow.runs(dag_id):
        airflow.wait(run, timeout=QUIET_SECONDS)
