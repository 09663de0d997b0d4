"""`kill -9` of Airflow's processes while a step runs on Databricks: the run is taken up again and paid for once."""

import datetime as dt
import os
import signal
from collections.abc import Iterator

import pytest

from localcloud import supervision
from localcloud.airflow.client import AirflowClient, DagRun
from localcloud.waiting import wait_until
from tests.end_to_end.clusters import clusters_left, runs_of
from tests.end_to_end.conftest import Chain

pytestmark = pytest.mark.full
DAG = "segment_customers"
LIMIT_SECONDS = 600.0
STEPS = {"aggregate_rfm", "assign_segments", "measure_drift", "estimate_value", "recommend_books", "write_report"}


def kill(chain: Chain, service: str) -> None:
    """Kills it as nothing can refuse; what supervises it starts it again."""
    pid = supervision.state(chain.cloud.home, service).pid
    os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: supervision.state(chain.cloud.home, service).pid not in {0, pid},
        f"{service} should be started again",
        60,
    )


@pytest.fixture
def airflow(chain: Chain) -> Iterator[AirflowClient]:
    with AirflowClient(chain.cloud.home) as airflow:
        yield airflow


def begun(chain: Chain, airflow: AirflowClient, back: int) -> tuple[str, DagRun]:
    """A run whose first step waits for Databricks."""
    partition = (chain.last_day - dt.timedelta(days=back)).isoformat()
    run = airflow.trigger(DAG, partition_key=partition)
    wait_until(lambda: airflow.task_states(run)["aggregate_rfm"] == "deferred", "the step should wait", LIMIT_SECONDS)
    return partition, run


@pytest.mark.parametrize(("service", "back"), [("airflow-triggerer", 70), ("airflow-scheduler", 71)])
def test_each_step_is_paid_for_once_though_airflow_is_killed(
    chain: Chain, airflow: AirflowClient, service: str, back: int
) -> None:
    partition, run = begun(chain, airflow, back)

    kill(chain, service)

    assert airflow.wait(run, timeout=LIMIT_SECONDS).state == "success"
    assert {step: len(runs) for step, runs in runs_of(chain, partition).items()} == dict.fromkeys(STEPS, 1)
    assert clusters_left(chain) == []


def test_a_step_goes_on_while_the_workspace_is_killed(chain: Chain, airflow: AirflowClient) -> None:
    partition, run = begun(chain, airflow, 72)

    kill(chain, "workspace")

    assert airflow.wait(run, timeout=LIMIT_SECONDS).state == "success"
    assert {step: len(runs) for step, runs in runs_of(chain, partition).items()} == dict.fromkeys(STEPS, 1)
    assert clusters_left(chain) == []


def test_a_step_is_paid_for_once_though_its_process_is_killed_while_it_submits(
    chain: Chain, airflow: AirflowClient
) -> None:
    partition = (chain.last_day - dt.timedelta(days=73)).isoformat()
    # The run is there, and its task doesn't get to know.
    chain.cloud.localcloud("fault", "jobs/runs/submit", "--works", "--times", "1000")
    try:
        run = airflow.trigger(DAG, partition_key=partition)
        wait_until(lambda: bool(runs_of(chain, partition)), "the step should be submitted", LIMIT_SECONDS)
        os.kill(airflow.task(run, "aggregate_rfm")["pid"], signal.SIGKILL)
    finally:
        chain.cloud.localcloud("fault")

    assert airflow.wait(run, timeout=LIMIT_SECONDS).state == "success"
    assert airflow.task(run, "aggregate_rfm")["try_number"] == 2
    assert {step: len(runs) for step, runs in runs_of(chain, partition).items()} == dict.fromkeys(STEPS, 1)
    assert clusters_left(chain) == []
