"""One cluster for each DAG run, which is gone afterwards; and steps that are done again without the others."""

import datetime as dt

import pytest
from databricks.sdk.service.jobs import BaseRun

from localcloud.airflow.client import AirflowClient, DagRun
from localcloud.waiting import wait_until
from tests.end_to_end.clusters import cluster_of, clusters_left, clusters_of, runs_of
from tests.end_to_end.conftest import Chain

DAG = "segment_customers"
LIMIT_SECONDS = 300.0
STEPS = {"aggregate_rfm", "assign_segments", "measure_drift", "estimate_value", "recommend_books", "write_report"}
AROUND = {"sync_storage_key", "start_cluster", "stop_cluster"}


def day(chain: Chain, back: int) -> str:
    return (chain.last_day - dt.timedelta(days=back)).isoformat()


def state(airflow: AirflowClient, run: DagRun) -> str:
    return next(each.state for each in airflow.runs(DAG) if each.run_id == run.run_id)


def links(airflow: AirflowClient, run: DagRun, task: str) -> dict[str, str]:
    """What the task's page in Airflow's grid links to."""
    path = f"/api/v2/dags/{DAG}/dagRuns/{run.run_id}/taskInstances/{task}/links"
    found: dict[str, str] = airflow.ask("GET", path)["extra_links"]
    return found


def count(runs: dict[str, list[BaseRun]]) -> dict[str, int]:
    return {step: len(found) for step, found in runs.items()}


@pytest.mark.full
def test_a_failed_step_is_cleared_and_its_cluster_comes_and_goes_with_it(
    chain: Chain, quiet_airflow: AirflowClient
) -> None:
    airflow, partition = quiet_airflow, day(chain, 50)
    chain.cloud.localcloud("fault", "jobs/runs/submit", "--status", "403")

    run = airflow.trigger(DAG, partition_key=partition)
    wait_until(lambda: state(airflow, run) == "failed", "a refused step should fail the run", LIMIT_SECONDS)

    expected = dict.fromkeys(AROUND, "success") | dict.fromkeys(STEPS, "upstream_failed")
    assert airflow.task_states(run) == expected | {"aggregate_rfm": "failed"}
    assert clusters_left(chain) == []
    assert runs_of(chain, partition) == {}

    airflow.wait(airflow.clear(run, "aggregate_rfm"), timeout=LIMIT_SECONDS)

    assert set(airflow.task_states(run).values()) <= {"success", "skipped"}
    assert count(runs_of(chain, partition)) == dict.fromkeys(STEPS, 1)
    assert len(clusters_of(chain, partition)) == 1
    assert clusters_left(chain) == []
    (aggregation,) = runs_of(chain, partition)["aggregate_rfm"]
    assert links(airflow, run, "aggregate_rfm") == {"See Databricks Job Run": aggregation.run_page_url}

    airflow.wait(airflow.clear(run, "write_report", downstream=False), timeout=LIMIT_SECONDS)

    again = runs_of(chain, partition)
    assert count(again) == dict.fromkeys(STEPS, 1) | {"write_report": 2}
    newest, first = again["write_report"]
    assert cluster_of(newest) != cluster_of(first)  # which was gone
    assert clusters_left(chain) == []


@pytest.mark.full
def test_a_run_marked_failed_leaves_neither_a_run_nor_a_cluster(chain: Chain, quiet_airflow: AirflowClient) -> None:
    airflow, partition = quiet_airflow, day(chain, 51)
    run = airflow.trigger(DAG, partition_key=partition)
    wait_until(lambda: airflow.task_states(run)["aggregate_rfm"] == "deferred", "it should wait", LIMIT_SECONDS)

    airflow.ask("PATCH", f"/api/v2/dags/{DAG}/dagRuns/{run.run_id}", json={"state": "failed"})

    wait_until(lambda: airflow.task_states(run)["stop_cluster"] == "success", "it should be deleted", LIMIT_SECONDS)
    # With a tear-down to come, Airflow leaves the run's own state to its last steps, and those are skipped.
    assert airflow.task_states(run)["aggregate_rfm"] == "failed"
    assert clusters_left(chain) == []
    ((aggregation,),) = runs_of(chain, partition).values()

    def outcome() -> str | None:
        found = chain.cloud.databricks().jobs.get_run(aggregation.run_id or 0).state
        return found.result_state.value if found and found.result_state else None

    # The trigger cancels the run while `stop_cluster` takes the cluster from under it: whichever comes first.
    wait_until(lambda: outcome() is not None, "the run should end", LIMIT_SECONDS)
    assert outcome() in {"CANCELED", "FAILED"}
