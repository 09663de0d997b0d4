"""Jobs: kept, changed, and run with their own or other parameters."""

import pytest
from databricks.sdk.errors import ResourceDoesNotExist
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.compute import Library
from databricks.sdk.service.jobs import JobCluster, JobSettings, PythonWheelTask, RunLifeCycleState, Task

from tests.localcloud.databricks.server import CLUSTER, WHEEL, Server
from tests.localcloud.waiting import wait_until


def task(entry_point: str) -> Task:
    wheel = PythonWheelTask(package_name="steps", entry_point=entry_point, parameters=["--own=1"])
    return Task(task_key="only", python_wheel_task=wheel, job_cluster_key="shared", libraries=[Library(whl=WHEEL)])


def create(workspace: Server, name: str, entry_point: str = "count_rows") -> int:
    job_id = workspace.client.jobs.create(
        name=name, tasks=[task(entry_point)], job_clusters=[JobCluster("shared", new_cluster=CLUSTER)]
    ).job_id
    assert job_id is not None
    return job_id


def test_job_runs_with_its_own_parameters_and_with_others(workspace: Server) -> None:
    job_id = create(workspace, "parameters")
    own = workspace.client.jobs.run_now(job_id).bind()["run_id"]
    workspace.ended(own)
    others = workspace.client.jobs.run_now(job_id, python_named_params={"k": "4"}).bind()["run_id"]
    workspace.ended(others)
    assert workspace.printed(own).splitlines()[0] == "arguments ['--own=1']"
    assert workspace.printed(others).splitlines()[0] == "arguments ['--k=4']"
    assert [run.run_id for run in workspace.client.jobs.list_runs(job_id=job_id)] == [others, own]


def test_job_is_found_changed_and_deleted(workspace: Server) -> None:
    jobs = workspace.client.jobs
    job_id = create(workspace, "to change")
    assert [job.job_id for job in jobs.list(name="to change")] == [job_id]
    jobs.update(job_id, new_settings=JobSettings(name="changed", timeout_seconds=60))
    settings = jobs.get(job_id).settings
    assert settings is not None
    assert (settings.name, settings.timeout_seconds, len(settings.tasks or [])) == ("changed", 60, 1)
    reset = JobSettings(name="reset", tasks=[task("fail")], job_clusters=[JobCluster("shared", CLUSTER)])
    jobs.reset(job_id, new_settings=reset)
    settings = jobs.get(job_id).settings
    assert settings is not None
    assert (settings.name, settings.timeout_seconds) == ("reset", None)
    jobs.delete(job_id)
    with pytest.raises(ResourceDoesNotExist, match=f"Job {job_id} does not exist."):
        jobs.get(job_id)


def test_a_run_beyond_the_limit_is_skipped(workspace: Server) -> None:
    job_id = create(workspace, "one at a time", "wait_forever")
    first = workspace.client.jobs.run_now(job_id).bind()["run_id"]
    second = workspace.client.jobs.run_now(job_id).bind()["run_id"]
    skipped = workspace.client.jobs.get_run(second).state
    assert skipped is not None
    assert skipped.life_cycle_state == RunLifeCycleState.SKIPPED
    wait_until(lambda: "waiting" in workspace.printed(first), limit=120)
    workspace.client.jobs.cancel_all_runs(job_id=job_id)
    ended = workspace.ended(first).state
    assert ended is not None
    assert ended.result_state is not None
    assert ended.result_state.value == "CANCELED"


def test_schedules_are_refused_rather_than_forgotten(workspace: Server) -> None:
    schedule = {"quartz_cron_expression": "0 0 0 * * ?", "timezone_id": "UTC"}
    body = {"name": "scheduled", "schedule": schedule, "tasks": [task("fail").as_dict()]}
    body["job_clusters"] = [JobCluster("shared", CLUSTER).as_dict()]
    with pytest.raises(DatabricksError, match="schedule is not obeyed by the local workspace"):
        workspace.client.api_client.do("POST", "/api/2.2/jobs/create", body=body)
