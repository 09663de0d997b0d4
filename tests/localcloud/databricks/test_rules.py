"""What needs no cluster: payloads as they may arrive, and what a run comes to."""

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from localcloud.databricks.engine.endings import (
    CANCELED,
    EXCLUDED,
    SKIPPED,
    SUCCESS,
    Ending,
    StopSignal,
    failed,
    timed_out,
)
from localcloud.databricks.engine.run_rules import overall, refusal
from localcloud.databricks.payloads.runs import RunSettings, SubmitRun
from localcloud.databricks.payloads.tasks import Task

WHEEL_TASK = {"package_name": "steps", "entry_point": "fail"}
FAILED = failed("error", "trace")
LOOP = {
    "task_key": "inner",
    "for_each_task": {"inputs": "[]", "task": {"task_key": "x", "run_job_task": {"job_id": 1}}},
}


def task(key: str, *upstream: str, **settings: object) -> Task:
    fields = {"task_key": key, "python_wheel_task": WHEEL_TASK, "existing_cluster_id": "c"}
    return Task.model_validate({**fields, "depends_on": [{"task_key": each} for each in upstream], **settings})


def settings(*tasks: Mapping[str, object], **more: object) -> RunSettings:
    return RunSettings.model_validate({"tasks": list(tasks), **more})


def test_numbers_may_arrive_as_text() -> None:
    found = task("a", timeout_seconds="60", max_retries="-1", min_retry_interval_millis="5")
    assert (found.timeout_seconds, found.max_retries, found.min_retry_interval_millis) == (60, -1, 5)


def test_texts_may_arrive_as_numbers_and_truth_values() -> None:
    cluster = {"spark_version": "17", "spark_conf": {"a": 4, "b": True}, "spark_env_vars": {"c": 1.5}}
    found = task("a", existing_cluster_id=None, new_cluster=cluster).new_cluster
    assert found is not None
    assert found.spark_conf == {"a": "4", "b": "true"}
    assert found.spark_env_vars == {"c": "1.5"}


def test_the_form_of_a_single_task_is_a_run_of_one_task() -> None:
    run = SubmitRun.model_validate(
        {"run_name": "old form", "timeout_seconds": 9, "python_wheel_task": WHEEL_TASK, "existing_cluster_id": "c"}
    )
    assert [each.task_key for each in run.tasks] == ["old_form"]
    assert (run.timeout_seconds, run.tasks[0].timeout_seconds) == (9, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"existing_cluster_id": None}, "exactly one of new_cluster, job_cluster_key and existing_cluster_id"),
        ({"python_wheel_task": None}, "exactly one of python_wheel_task, .*; found none"),
        ({"notebook_task": {"notebook_path": "/n"}}, "found python_wheel_task, notebook_task"),
        ({"sql_task": {"warehouse_id": "w"}}, "sql_task can't be used locally"),
        (
            {"python_wheel_task": None, "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}},
            "is a condition_task, which runs on no cluster",
        ),
        (
            {"python_wheel_task": None, "existing_cluster_id": None, "for_each_task": {"inputs": "[]", "task": LOOP}},
            "is a for_each_task, and its task can't be another",
        ),
        (
            {"existing_cluster_id": None, "new_cluster": {"spark_version": "17", "init_scripts": [{"a": "b"}]}},
            "init_scripts can't be used locally",
        ),
        (
            {"python_wheel_task": {**WHEEL_TASK, "parameters": ["{{job.naem}}"]}},
            r"the reference \{\{job.naem\}\} is invalid: there is no 'naem', only id, name, run_id",
        ),
        (
            {"python_wheel_task": {**WHEEL_TASK, "parameters": ["{{job.start_time}}"]}},
            r"the reference \{\{job.start_time\}\} is incomplete: one of iso_weekday",
        ),
        ({"max_retries": -2}, "greater than or equal to -1"),
        ({"libraries": [{"jar": "dbfs:/x.jar"}]}, "libraries.0.jar\n  Extra inputs are not permitted"),
        ({"depends_on": [{"task_key": "b"}]}, "task a depends on b, which is no task of this run"),
        ({"existing_cluster_id": None, "job_cluster_key": "k"}, "names job cluster k, which is not defined"),
        ({"depends_on": [{"task_key": "a"}]}, "in a circle: a -> a"),
        ({"task_key": "a b"}, "String should match pattern"),
        ({"timeout_seconds": -1}, "greater than or equal to 0"),
    ],
)
def test_what_cannot_run_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings({"task_key": "a", "python_wheel_task": WHEEL_TASK, "existing_cluster_id": "c", **change})


@pytest.mark.parametrize(
    ("run_if", "upstream", "expected"),
    [
        ("ALL_SUCCESS", [SUCCESS, SUCCESS], None),
        ("ALL_SUCCESS", [SUCCESS, FAILED], "UPSTREAM_FAILED"),
        ("ALL_DONE", [FAILED, SKIPPED], None),
        ("NONE_FAILED", [SUCCESS, CANCELED], "UPSTREAM_FAILED"),
        ("AT_LEAST_ONE_SUCCESS", [SUCCESS, FAILED], None),
        ("AT_LEAST_ONE_SUCCESS", [FAILED], "EXCLUDED"),
        ("ALL_SUCCESS", [SUCCESS, EXCLUDED], "EXCLUDED"),
        ("NONE_FAILED", [SUCCESS, EXCLUDED], None),
        ("ALL_FAILED", [FAILED, SUCCESS], "EXCLUDED"),
        ("AT_LEAST_ONE_FAILED", [FAILED, SUCCESS], None),
    ],
)
def test_upstream_tasks_decide_whether_a_task_runs(run_if: str, upstream: list[Ending], expected: str | None) -> None:
    names = [f"u{number}" for number in range(len(upstream))]
    found = refusal(task("z", *names, run_if=run_if), dict(zip(names, upstream, strict=True)))
    assert (found.result_state if found else None) == expected


@pytest.mark.parametrize(
    ("endings", "result", "message"),
    [
        ({"a": SUCCESS, "b": SUCCESS}, "SUCCESS", ""),
        ({"a": FAILED, "b": SUCCESS}, "SUCCESS_WITH_FAILURES", ""),
        (
            {"a": FAILED, "b": SKIPPED},
            "FAILED",
            "Task a failed with message: Workload failed, see run output for details",
        ),
        ({"a": SUCCESS, "b": timed_out(3)}, "FAILED", "Task b failed with message: Timed out after 3 seconds."),
    ],
)
def test_the_last_tasks_decide_what_a_run_comes_to(endings: dict[str, Ending], result: str, message: str) -> None:
    found = overall([task("a"), task("b", "a")], endings)
    assert (found.result_state, found.message) == (result, message)


def test_task_keys_are_unique_and_tasks_not_too_many() -> None:
    one = {"python_wheel_task": WHEEL_TASK, "existing_cluster_id": "c"}
    with pytest.raises(ValidationError, match=r"task keys must be unique, found \['a', 'a'\]"):
        settings({**one, "task_key": "a"}, {**one, "task_key": "a"})
    with pytest.raises(ValidationError, match="at most 1000 items"):
        settings(*({**one, "task_key": f"t{number}"} for number in range(1001)))


def test_a_part_has_no_more_time_than_the_whole_and_ends_with_it() -> None:
    whole = StopSignal(0)
    part = whole.within(60)
    assert not part.is_set
    whole.request(CANCELED)
    assert part.is_set
    assert part.ending is CANCELED


def test_stopping_has_one_reason_the_first() -> None:
    stop = StopSignal(0)
    assert not stop.is_set
    stop.request(CANCELED)
    stop.request(FAILED)
    assert stop.ending is CANCELED
