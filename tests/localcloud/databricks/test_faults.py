"""Routes that fail on demand, and what unmodified clients make of it."""

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException
from airflow.providers.databricks.hooks.databricks import DatabricksHook
from airflow.sdk.exceptions import TaskDeferred
from databricks.sdk.errors import PermissionDenied
from databricks.sdk.service.jobs import RunLifeCycleState, RunResultState
from typer.testing import CliRunner

from include.errors import JobFailedError
from include.operators import SubmitJobOperator
from localcloud.cli import commands
from tests.localcloud.databricks.server import Server, airflow_connection, context, step


@pytest.fixture(autouse=True)
def no_faults(light: Server) -> None:
    """Each test begins without those of others."""
    fault(light)


def fault(server: Server, *words: str) -> None:
    """`localcloud fault`, as a user would call it."""
    done = CliRunner().invoke(commands, ["fault", *words, "--home", str(server.home.root)])
    assert done.exit_code == 0, done.output


@pytest.fixture
def hook(light: Server, monkeypatch: pytest.MonkeyPatch) -> DatabricksHook:
    monkeypatch.setenv("AIRFLOW_CONN_LIGHT", airflow_connection(light))
    return DatabricksHook("light", retry_limit=3, retry_delay=0)


def to_come(server: Server) -> list[dict[str, Any]]:
    with server.http() as http:
        faults: list[dict[str, Any]] = http.get("/api/localcloud/faults").json()["faults"]
    return faults


def payload(server: Server, **more: str) -> dict[str, Any]:
    task = server.script("only", "print('once')").as_dict()
    return {"run_name": "of the hook", "tasks": [task], **more}


def runs_named(server: Server, name: str) -> list[int]:
    return [run.run_id or 0 for run in server.client.jobs.list_runs() if run.run_name == name]


@pytest.mark.parametrize("status", ["429", "500", "503"])
def test_the_provider_tries_again_what_a_retry_can_mend(light: Server, hook: DatabricksHook, status: str) -> None:
    fault(light, "jobs/runs/submit", "--status", status, "--times", "2")
    run_id = hook.submit_run(payload(light))
    assert light.logs(light.ended(run_id)) == {"only": "once\n"}
    assert to_come(light) == []


def test_the_provider_gives_up_after_its_tries(light: Server, hook: DatabricksHook) -> None:
    fault(light, "jobs/runs/submit", "--times", "9")
    with pytest.raises(AirflowException, match="failed 3 times"):
        hook.submit_run(payload(light))
    assert [(each["route"], each["times"]) for each in to_come(light)] == [("jobs/runs/submit", 6)]


def test_an_answer_that_is_lost_starts_one_run_where_there_is_a_token(light: Server, hook: DatabricksHook) -> None:
    fault(light, "jobs/runs/submit", "--works")
    run_id = hook.submit_run(payload(light, idempotency_token="lost-answer", run_name="submitted once"))
    assert runs_named(light, "submitted once") == [run_id]
    light.ended(run_id)


def test_an_answer_that_is_lost_starts_two_runs_where_there_is_none(light: Server, hook: DatabricksHook) -> None:
    fault(light, "jobs/runs/submit", "--works")
    hook.submit_run(payload(light, run_name="submitted twice"))
    runs = runs_named(light, "submitted twice")
    assert len(runs) == 2
    for run_id in runs:
        light.ended(run_id)


def test_a_step_of_ours_is_submitted_once_however_often_it_was_refused(
    light: Server, hook: DatabricksHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_ROOT", "abfss://bookstore@bookstorelake.dfs.core.windows.net/lake")
    monkeypatch.setenv("BOOKSTORE_WHEEL", "/Workspace/Shared/wheels/1-a/none-1-py3-none-any.whl")
    step = SubmitJobOperator(
        task_id="ingest_events",
        compute="",
        run_name="refused at first",
        databricks_conn_id=hook.databricks_conn_id,
        databricks_retry_delay=0,
    )
    fault(light, "jobs/runs/submit", "--status", "429", "--times", "3")
    # There is no such wheel, so the run may fail before there is anything to wait for.
    with pytest.raises((TaskDeferred, JobFailedError)):
        step.execute(context())
    (run_id,) = runs_named(light, "refused at first")
    assert light.ended(run_id).run_name == "refused at first"


def test_the_sdk_tries_again_after_429_and_not_after_403(light: Server) -> None:
    fault(light, "secrets/scopes/list", "--status", "429")
    assert isinstance(list(light.client.secrets.list_scopes()), list)
    fault(light, "secrets/scopes/list", "--status", "403")
    with pytest.raises(PermissionDenied, match="a fault on demand: secrets/scopes/list fails 0 more times"):
        list(light.client.secrets.list_scopes())


def test_a_fault_concerns_one_route(light: Server) -> None:
    fault(light, "runs/get", "--times", "2")
    assert light.client.current_user.me().user_name == "localcloud"
    with light.http() as http:
        assert http.get("/api/2.2/jobs/runs/get-output", params={"run_id": 1}).status_code != 503
        assert http.get("/api/2.1/jobs/runs/get", params={"run_id": 1}).status_code == 503
    fault(light)
    assert to_come(light) == []


def test_the_route_that_takes_faults_back_has_none(light: Server) -> None:
    done = CliRunner().invoke(commands, ["fault", "localcloud/faults", "--home", str(light.home.root)])
    assert done.exit_code != 0
    assert "this route has to work" in str(done.exception)


def test_the_storages_faults_are_listed_and_taken_back_with_the_others(light: Server) -> None:
    arguments = ["fault-storage", "refuses", "--times", "3", "--home", str(light.home.root)]
    done = CliRunner().invoke(commands, arguments)
    assert done.exit_code == 0, done.output
    with light.http() as http:
        listed = http.get("/api/localcloud/faults").json()["storage_faults"]
        assert listed == [{"kind": "refuses", "times": 3, "seconds": 0}]
        fault(light)
        assert http.get("/api/localcloud/faults").json()["storage_faults"] == []


def fault_cluster(server: Server, *words: str) -> str:
    """`localcloud fault-cluster`, as a user would call it."""
    done = CliRunner().invoke(commands, ["fault-cluster", *words, "--home", str(server.home.root)])
    assert done.exit_code == 0, done.output
    return done.output


def test_no_machine_is_to_be_had_and_the_next_run_gets_one(light: Server) -> None:
    fault_cluster(light, "no-capacity")
    task = light.script("only", "print('once')")

    run = light.run(task)
    assert run.state is not None
    assert (run.state.life_cycle_state, run.state.result_state) == (
        RunLifeCycleState.INTERNAL_ERROR,
        RunResultState.FAILED,
    )
    (attempt,) = run.tasks or []
    assert "CLOUD_PROVIDER_RESOURCE_STOCKOUT (CLOUD_FAILURE)" in str(attempt.state and attempt.state.state_message)

    assert light.logs(light.run(task)) == {"only": "once\n"}


def test_a_retry_of_a_task_waits_for_a_machine(light: Server) -> None:
    fault_cluster(light, "no-capacity", "--times", "2")
    run = light.run(light.script("only", "print('once')", max_retries=2, min_retry_interval_millis=0))
    assert [task.state and task.state.result_state for task in run.tasks or []] == [
        RunResultState.FAILED,
        RunResultState.FAILED,
        RunResultState.SUCCESS,
    ]


def test_a_slow_cluster_counts_as_set_up_time(light: Server) -> None:
    light.run(light.script("warms", "pass"))
    fault_cluster(light, "slow", "--seconds", "2")
    run = light.run(light.script("only", "print('once')"))
    (task,) = run.tasks or []
    assert (task.setup_duration or 0) >= 2_000


def test_faults_of_clusters_are_listed_and_taken_back(light: Server) -> None:
    fault_cluster(light, "slow", "--seconds", "5", "--times", "3")
    with light.http() as http:
        listed = http.get("/api/localcloud/faults").json()["cluster_faults"]
    assert listed == [{"kind": "slow", "times": 3, "seconds": 5.0}]
    fault(light)
    with light.http() as http:
        assert http.get("/api/localcloud/faults").json()["cluster_faults"] == []


def test_a_cluster_dies_on_demand_and_the_next_run_starts_it_again(workspace: Server) -> None:
    workspace.run(step("first_line"))
    assert "Killed: job-" in fault_cluster(workspace, "dies")
    again = workspace.run(step("first_line"))
    assert again.state is not None
    assert again.state.result_state is RunResultState.SUCCESS
