"""Parameters of jobs, of one run, and where they go."""

import pytest
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.jobs import JobParameterDefinition, JobSettings, QueueSettings, Task

from tests.localcloud.databricks.server import Server
from tests.localcloud.waiting import wait_until

PRINT = "import sys; print(*sys.argv[1:])"


def job(light: Server, *tasks: object, **settings: object) -> int:
    made = [Task.from_dict(task.as_dict()) for task in tasks]  # type: ignore[attr-defined]
    return light.client.jobs.create(tasks=made, **settings).job_id or 0  # type: ignore[arg-type]


def test_a_job_hands_its_parameters_down(light: Server) -> None:
    script = light.script("script", PRINT, "{{job.parameters.day}}", "{{job.parameters.k}}")
    notebook = light.notebook("notebook", "print(dbutils.widgets.getAll())", {"day": "its own", "own": "1"})
    parameters = [JobParameterDefinition("day", "2026-01-31"), JobParameterDefinition("k", "5")]
    job_id = job(light, script, notebook, name="parameters", parameters=parameters)
    run = light.ended(light.client.jobs.run_now(job_id, job_parameters={"k": "7"}).bind()["run_id"])
    assert light.logs(run) == {
        "script": "2026-01-31 7\n",
        "notebook": "{'day': '2026-01-31', 'own': '1', 'k': '7'}\n",
    }
    assert [(each.name, each.default, each.value) for each in run.job_parameters or []] == [
        ("day", "2026-01-31", None),
        ("k", "5", "7"),
    ]


def test_parameters_of_one_run_replace_those_of_its_tasks(light: Server) -> None:
    script = light.script("script", PRINT, "own")
    notebook = light.notebook("notebook", "print(dbutils.widgets.getAll())", {"a": "own", "b": "own"})
    job_id = job(light, script, notebook, name="overrides")
    run_now = light.client.jobs.run_now(job_id, python_params=["other"], notebook_params={"b": "other"})
    run = light.ended(run_now.bind()["run_id"])
    assert light.logs(run) == {"script": "other\n", "notebook": "{'a': 'own', 'b': 'other'}\n"}
    assert run.overriding_parameters is not None
    assert run.overriding_parameters.as_dict() == {"notebook_params": {"b": "other"}, "python_params": ["other"]}


def test_parameters_of_both_kinds_are_refused(light: Server) -> None:
    job_id = job(light, light.script("script", PRINT), name="both kinds")
    with pytest.raises(InvalidParameterValue, match="job_parameters can't be given together with python_params"):
        light.client.jobs.run_now(job_id, job_parameters={"a": "1"}, python_params=["b"])


def test_two_parameters_of_one_name_are_refused(light: Server) -> None:
    twice = [JobParameterDefinition("k", "1"), JobParameterDefinition("k", "2")]
    with pytest.raises(InvalidParameterValue, match=r"must have different names, found \['k', 'k'\]"):
        job(light, light.script("script", PRINT), name="twice", parameters=twice)


def test_a_token_starts_one_run_even_where_the_job_allows_no_second(light: Server) -> None:
    job_id = job(light, light.script("script", PRINT), name="once")
    runs = [light.client.jobs.run_now(job_id, idempotency_token="job-once").bind()["run_id"] for _ in range(3)]
    assert len(set(runs)) == 1
    light.ended(runs[0])


@pytest.mark.parametrize("of_run", [False, True])
def test_a_queued_run_waits_for_the_one_before(light: Server, of_run: bool) -> None:
    wait = "import sys, time\nfrom pathlib import Path\nwhile not Path(sys.argv[1]).exists(): time.sleep(0.05)"
    flag = light.home.root / f"go-{of_run}"
    task = light.script("script", wait, str(flag))
    job_id = job(light, task, name="queue", queue=QueueSettings(enabled=not of_run), max_concurrent_runs=1)
    queue = QueueSettings(enabled=True) if of_run else None
    first, second = (light.client.jobs.run_now(job_id, queue=queue).bind()["run_id"] for _ in range(2))
    wait_until(lambda: light.life_cycle_state(second) == "QUEUED", limit=60)
    assert light.life_cycle_state(first) != "QUEUED"
    flag.touch()
    begun, ended = light.ended(second), light.ended(first)
    assert (begun.tasks or [])[0].start_time >= (ended.tasks or [])[0].end_time  # type: ignore[operator]


def test_a_job_that_an_update_would_break_stays_as_it_is(light: Server) -> None:
    job_id = job(light, light.script("script", PRINT), name="whole")
    with pytest.raises(InvalidParameterValue, match="max_concurrent_runs: Input should be less than or equal to 1000"):
        light.client.jobs.update(job_id, new_settings=JobSettings(max_concurrent_runs=1001))
    settings = light.client.jobs.get(job_id).settings
    assert settings is not None
    assert settings.name == "whole"
