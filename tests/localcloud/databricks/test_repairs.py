"""Repairs: failed tasks once more, as part of the same run."""

import pytest
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.jobs import JobParameterDefinition, Run, Task, TaskDependency

from tests.localcloud.databricks.server import Server, results, states

ONLY_IF_THERE = """\
import sys
from pathlib import Path
print(*sys.argv[2:])
if not Path(sys.argv[1]).exists():
    raise ValueError("not yet")
"""


@pytest.fixture
def failed(light: Server, request: pytest.FixtureRequest) -> Run:
    """A run of a job whose second task of three fails until a file is there."""
    flag = light.home.root / request.node.name
    mend = light.script("mend", ONLY_IF_THERE, str(flag), "{{job.parameters.k}}", "{{job.repair_count}}")
    mend.depends_on = [TaskDependency("good")]
    after = light.script("after", "print('after')", depends_on=[TaskDependency("mend")])
    tasks = [Task.from_dict(task.as_dict()) for task in (light.script("good", "print('good')"), mend, after)]
    parameters = [JobParameterDefinition("k", "1")]
    job_id = light.client.jobs.create(name="to repair", tasks=tasks, parameters=parameters).job_id or 0
    run = light.ended(light.client.jobs.run_now(job_id, job_parameters={"k": "2"}).bind()["run_id"])
    assert results(run) == {"good": "SUCCESS", "mend": "FAILED", "after": "UPSTREAM_FAILED"}
    flag.touch()
    return run


def repaired(light: Server, run: Run, **choice: object) -> Run:
    light.client.jobs.repair_run(run.run_id or 0, **choice)  # type: ignore[arg-type]
    light.ended(run.run_id or 0)
    return light.client.jobs.get_run(run.run_id or 0, include_history=True)


def test_only_what_failed_runs_again_with_the_parameters_of_before(light: Server, failed: Run) -> None:
    run = repaired(light, failed, rerun_all_failed_tasks=True)
    assert run.state is not None
    assert run.state.result_state is not None
    assert run.state.result_state.value == "SUCCESS"
    assert [(key, result) for key, _, result in states(run)] == [
        ("good", "SUCCESS"),
        ("mend", "FAILED"),
        ("after", "UPSTREAM_FAILED"),
        ("mend", "SUCCESS"),
        ("after", "SUCCESS"),
    ]
    assert [task.attempt_number for task in run.tasks or []] == [0, 0, 0, 1, 1]
    assert light.logs(run)["mend"] == "2 1\n"


def test_the_history_tells_each_repair_and_its_task_runs(light: Server, failed: Run) -> None:
    run = repaired(light, failed, rerun_all_failed_tasks=True)
    ids = [task.run_id for task in run.tasks or []]
    history = run.repair_history or []
    assert [(entry.type.value if entry.type else "", entry.task_run_ids) for entry in history] == [
        ("ORIGINAL", ids[:3]),
        ("REPAIR", ids[3:]),
    ]
    assert [entry.state.result_state.value for entry in history if entry.state and entry.state.result_state] == [
        "FAILED",
        "SUCCESS",
    ]
    assert history[0].end_time == failed.end_time
    assert (history[1].start_time or 0) >= (failed.end_time or 0)
    assert (history[0].id, type(history[1].id)) == (None, int)


def test_a_second_repair_names_the_first(light: Server, failed: Run) -> None:
    run = repaired(light, failed, rerun_tasks=["mend"], rerun_dependent_tasks=True)
    with pytest.raises(InvalidParameterValue, match="The latest repair ID needs to be provided"):
        light.client.jobs.repair_run(run.run_id or 0, rerun_tasks=["good"])
    with pytest.raises(InvalidParameterValue, match="must be that of the latest repair, "):
        light.client.jobs.repair_run(run.run_id or 0, rerun_tasks=["good"], latest_repair_id=987654)
    latest = (run.repair_history or [])[-1].id
    again = repaired(light, run, rerun_tasks=["good"], latest_repair_id=latest, job_parameters={"k": "3"})
    assert [len(entry.task_run_ids or []) for entry in again.repair_history or []] == [3, 2, 1]
    assert [(each.name, each.value) for each in again.job_parameters or []] == [("k", "3")]


def test_a_repair_uses_the_job_as_it_is_now(light: Server, failed: Run) -> None:
    settings = light.client.jobs.get(failed.job_id or 0).settings
    assert settings is not None
    light.script("mend", "print('mended')")
    run = repaired(light, failed, rerun_all_failed_tasks=True)
    assert light.logs(run)["mend"] == "mended\n"


def test_a_submitted_run_can_be_repaired_too(light: Server) -> None:
    flag = light.home.root / "submitted"
    run = light.run(light.script("only", ONLY_IF_THERE, str(flag)))
    flag.touch()
    assert results(repaired(light, run, rerun_all_failed_tasks=True)) == {"only": "SUCCESS"}


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({}, "exactly one of rerun_tasks and rerun_all_failed_tasks is required"),
        ({"rerun_tasks": ["mend"], "rerun_all_failed_tasks": True}, "exactly one of"),
        ({"rerun_tasks": ["no_such"]}, "rerun_tasks names no_such, which is no task of this run"),
    ],
)
def test_what_is_to_run_again_must_be_clear(light: Server, choice: dict[str, object], message: str) -> None:
    run = light.run(light.script("mend", "print(1)"))
    with pytest.raises(InvalidParameterValue, match=message):
        light.client.jobs.repair_run(run.run_id or 0, **choice)  # type: ignore[arg-type]


def test_an_active_run_is_not_repaired(light: Server) -> None:
    run_id = light.submit(light.script("wait", "import time; time.sleep(600)"))
    with pytest.raises(DatabricksError, match="is still active: a repair has to wait"):
        light.client.jobs.repair_run(run_id, rerun_all_failed_tasks=True)
    light.client.jobs.cancel_run(run_id)
    light.ended(run_id)
