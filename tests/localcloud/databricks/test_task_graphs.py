"""Conditions, loops, and jobs that run jobs: what a run decides without a cluster."""

import json

import pytest
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.jobs import (
    ConditionTask,
    ConditionTaskOp,
    ForEachTask,
    Run,
    RunIf,
    RunJobTask,
    SubmitTask,
    Task,
    TaskDependency,
)

from tests.localcloud.databricks.server import Server, results
from tests.localcloud.waiting import wait_until

SET = "from databricks.sdk.runtime import dbutils\ndbutils.jobs.taskValues.set('found', {value})"


def condition(key: str, left: str, right: str, op: str = "EQUAL_TO", *upstream: str) -> SubmitTask:
    depends_on = [TaskDependency(each) for each in upstream]
    return SubmitTask(
        task_key=key,
        condition_task=ConditionTask(op=ConditionTaskOp(op), left=left, right=right),
        depends_on=depends_on,
    )


def when(task_key: str, outcome: str) -> list[TaskDependency]:
    return [TaskDependency(task_key, outcome=outcome)]


def test_a_condition_takes_one_branch_and_leaves_out_the_other(light: Server) -> None:
    run = light.run(
        light.script("count", SET.format(value=12)),
        condition("enough", "{{tasks.count.values.found}}", "9.5", "GREATER_THAN", "count"),
        light.script("go_on", "print('on')", depends_on=when("enough", "true")),
        light.script("give_up", "print('up')", depends_on=when("enough", "false")),
        light.script("after_that", "print('after')", depends_on=[TaskDependency("give_up")]),
        light.script(
            "at_last",
            "print('last')",
            depends_on=[TaskDependency("go_on"), TaskDependency("give_up")],
            run_if=RunIf.NONE_FAILED,
        ),
    )
    assert results(run) == {
        "count": "SUCCESS",
        "enough": "SUCCESS",
        "go_on": "SUCCESS",
        "give_up": "EXCLUDED",
        "after_that": "EXCLUDED",
        "at_last": "SUCCESS",
    }
    decided = next(task.condition_task for task in run.tasks or [] if task.task_key == "enough")
    assert decided is not None
    assert (decided.left, decided.outcome) == ("12", "true")


@pytest.mark.parametrize(
    ("left", "op", "right", "outcome"),
    [
        ("12.0", "EQUAL_TO", "12", "false"),
        ("12.0", "NOT_EQUAL", "12", "true"),
        ("12.0", "GREATER_THAN_OR_EQUAL", "12", "true"),
        ("10", "LESS_THAN", "9", "false"),
        ("9", "LESS_THAN_OR_EQUAL", "10", "true"),
    ],
)
def test_equality_is_of_texts_and_order_of_numbers(light: Server, left: str, op: str, right: str, outcome: str) -> None:
    (task,) = light.run(condition("only", left, right, op)).tasks or []
    assert task.condition_task is not None
    assert task.condition_task.outcome == outcome


def test_an_order_of_what_is_no_number_fails(light: Server) -> None:
    run = light.run(condition("only", "many", "9", "GREATER_THAN"))
    assert results(run) == {"only": "FAILED"}
    (task,) = run.tasks or []
    assert task.state is not None
    assert "GREATER_THAN compares numbers: could not convert string to float: 'many'" in (
        task.state.state_message or ""
    )


def for_each(inputs: str, task: SubmitTask, **more: int) -> SubmitTask:
    nested = Task.from_dict(task.as_dict())
    return SubmitTask(task_key="each", for_each_task=ForEachTask(inputs=inputs, task=nested, **more))


def iterations(light: Server, run: Run) -> list[tuple[str, str]]:
    """What each iteration printed, and how it ended, by their order."""
    (task,) = [task for task in run.tasks or [] if task.task_key == "each"]
    found = light.client.jobs.get_run(task.run_id or 0).iterations or []
    return [
        (light.client.jobs.get_run_output(each.run_id or 0).logs or "", each.state.result_state.value)
        for each in found
        if each.state and each.state.result_state
    ]


def test_a_task_runs_for_each_element(light: Server) -> None:
    nested = light.script("one", "import sys; print(*sys.argv[1:])", "{{input}}", "{{input.city}}", "{{job.run_id}}")
    nested_plain = light.script("one", "import sys; print(*sys.argv[1:])", "{{input}}")
    plain = light.run(for_each('["a", 2, true]', nested_plain, concurrency=2))
    assert sorted(iterations(light, plain)) == [("2\n", "SUCCESS"), ("a\n", "SUCCESS"), ("true\n", "SUCCESS")]
    cities = [{"city": "Oslo"}, {"city": "Bonn"}]
    objects = light.run(for_each(json.dumps(cities), nested))
    assert iterations(light, objects) == [
        (f'{{"city": "{city}"}} {city} {objects.run_id}\n', "SUCCESS") for city in ("Oslo", "Bonn")
    ]


def test_one_failed_iteration_fails_the_loop_and_stops_no_other(light: Server) -> None:
    nested = light.script("one", "import sys\nif sys.argv[1] == '2': raise ValueError('no two')", "{{input}}")
    run = light.run(for_each("[1, 2, 3]", nested))
    assert results(run) == {"each": "FAILED"}
    assert [result for _, result in iterations(light, run)] == ["SUCCESS", "FAILED", "SUCCESS"]
    (task,) = run.tasks or []
    assert task.for_each_task is not None
    assert task.for_each_task.stats is not None
    stats = task.for_each_task.stats.as_dict()
    assert stats["task_run_stats"]["succeeded_iterations"] == 2
    assert stats["error_message_stats"] == [{"count": 1, "error_message": "ValueError: no two"}]


def test_elements_may_be_what_an_earlier_task_has_found(light: Server) -> None:
    find = light.script("find", SET.format(value=["x", "y"]))
    loop = for_each("{{tasks.find.values.found}}", light.script("one", "import sys; print(sys.argv[1])", "{{input}}"))
    loop.depends_on = [TaskDependency("find")]
    assert iterations(light, light.run(find, loop)) == [("x\n", "SUCCESS"), ("y\n", "SUCCESS")]


def test_elements_that_are_no_array_fail(light: Server) -> None:
    run = light.run(for_each("7", light.script("one", "print(1)")))
    assert results(run) == {"each": "FAILED"}
    assert "must be a JSON array of at most 5000: 7" in ((run.tasks or [])[0].state.state_message or "")  # type: ignore[union-attr]


def test_a_job_runs_another_and_takes_its_end(light: Server) -> None:
    jobs = light.client.jobs
    inner = light.script("inner", "import sys; print(sys.argv[1])", "{{job.parameters.word}}")
    child = jobs.create(name="child", tasks=[Task.from_dict(inner.as_dict())]).job_id or 0
    run = light.run(
        SubmitTask(task_key="other", run_job_task=RunJobTask(job_id=child, job_parameters={"word": "hello"}))
    )
    assert results(run) == {"other": "SUCCESS"}
    (task,) = run.tasks or []
    output = jobs.get_run_output(task.run_id or 0).run_job_output
    assert output is not None
    assert light.logs(jobs.get_run(output.run_id or 0)) == {"inner": "hello\n"}


def test_jobs_that_run_each_other_end(light: Server) -> None:
    jobs = light.client.jobs
    circle = jobs.create(name="circle", tasks=[Task("again", run_job_task=RunJobTask(job_id=0))]).job_id or 0
    jobs.reset(circle, new_settings=_running(circle))
    ended = light.ended(jobs.run_now(circle).bind()["run_id"])
    assert results(ended) == {"again": "FAILED"}


def _running(job_id: int):  # type: ignore[no-untyped-def]
    from databricks.sdk.service.jobs import JobSettings

    task = Task("again", run_job_task=RunJobTask(job_id=job_id))
    return JobSettings(name="circle", tasks=[task], max_concurrent_runs=10)


def test_a_condition_on_a_cluster_is_refused(light: Server) -> None:
    task = condition("only", "1", "1")
    task.existing_cluster_id = "c"
    with pytest.raises(InvalidParameterValue, match="is a condition_task, which runs on no cluster"):
        light.submit(task)


WAIT = "import sys, time\nfrom pathlib import Path\nwhile not Path(sys.argv[1]).exists(): time.sleep(0.05)"


def test_cancelling_a_task_ends_that_task_alone(light: Server) -> None:
    flag = light.home.root / "one-is-cancelled"
    run_id = light.submit(
        light.script("gone", "import time; time.sleep(600)", max_retries=3),
        light.script("stays", WAIT, str(flag)),
        light.script("never", "print(1)", depends_on=[TaskDependency("stays")]),
        light.script("last", "print(2)", depends_on=[TaskDependency("gone")], run_if=RunIf.ALL_DONE),
    )
    ids = {task.task_key: task.run_id or 0 for task in light.client.jobs.get_run(run_id).tasks or []}
    wait_until(lambda: {light.life_cycle_state(ids[key]) for key in ("gone", "stays")} == {"RUNNING"}, limit=60)
    light.client.jobs.cancel_run(ids["gone"])
    light.client.jobs.cancel_run(ids["never"])
    wait_until(lambda: light.life_cycle_state(ids["last"]) == "TERMINATED", limit=60)
    assert light.life_cycle_state(ids["stays"]) == "RUNNING"
    flag.touch()
    ended = light.ended(run_id)
    assert results(ended) == {"gone": "CANCELED", "stays": "SUCCESS", "never": "CANCELED", "last": "SUCCESS"}
    assert len(ended.tasks or []) == 4  # and it isn't tried again
    light.client.jobs.cancel_run(ids["stays"])
    assert light.life_cycle_state(run_id) == "TERMINATED"
    assert results(light.client.jobs.get_run(run_id))["stays"] == "SUCCESS"
