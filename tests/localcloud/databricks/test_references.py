"""Dynamic value references: what they stand for, and what is left alone."""

from typing import Any

import pytest
from databricks.sdk.service.jobs import TaskDependency

from localcloud.databricks.references import UnresolvedReferenceError, check_references, moments, resolve
from tests.localcloud.databricks.server import Server, results

VALUES: dict[str, Any] = {
    "job": {"run_id": "7", "parameters": {"a-b": "escaped"}, "start_time": moments(1_767_225_600_123)},
    "tasks": {"find": {"result_state": "success", "values": {"rows": 3, "names": ["x"], "yes": True}}},
    "input": {"city": "Oslo"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run {{job.run_id}}, {{ job.run_id }}", "run 7, 7"),
        ("{{job.parameters.`a-b`}}", "escaped"),
        ("{{tasks.find.values.rows}}", "3"),
        ("{{tasks.find.values.names}}", '["x"]'),
        ("{{tasks.find.values.yes}}", "true"),
        ("{{tasks.find.result_state}}", "success"),
        ("{{input}} in {{input.city}}", '{"city": "Oslo"} in Oslo'),
        ("{{job.start_time.iso_date}}", "2026-01-01"),
        ("{{job.start_time.iso_datetime}}", "2026-01-01T00:00:00.123Z"),
        ("{{job.start_time.timestamp_ms}}", "1767225600123"),
        ("{{job.start_time.iso_weekday}} {{job.start_time.is_weekday}}", "4 true"),
        # No reference, or none of ours.
        ("{{secrets/scope/key}}", "{{secrets/scope/key}}"),
        ("{{my.value}", "{{my.value}"),
        ("{{my.value}}", "{{my.value}}"),
        ("{{job.run_id + 1}}", "{{job.run_id + 1}}"),
    ],
)
def test_a_reference_becomes_the_text_of_its_value(text: str, expected: str) -> None:
    check_references({"parameters": [text]})
    assert resolve({"parameters": [text]}, VALUES) == {"parameters": [expected]}


@pytest.mark.parametrize("text", ["{{tasks.find.values.none}}", "{{tasks.other.run_id}}", "{{input.country}}"])
def test_a_reference_without_a_value_is_named(text: str) -> None:
    with pytest.raises(UnresolvedReferenceError) as raised:
        resolve(text, VALUES)
    assert str(raised.value) == f"The value referenced by {text} was not found"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{job.naem}}", "there is no 'naem', only id, name"),
        ("{{tasks.a.output}}", "there is no 'output', only run_id"),
        ("{{job.start_time}}", "incomplete: one of iso_weekday"),
    ],
)
def test_a_reference_that_can_never_have_a_value_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_references([{"a": text}])


def test_a_run_tells_its_tasks_about_itself(light: Server) -> None:
    shown = ("{{job.run_id}}", "{{task.run_id}}", "{{task.name}}", "{{job.id}}", "{{workspace.url}}", "{{run_id}}")
    run = light.run(light.script("told", "import sys; print(*sys.argv[1:])", *shown))
    (task,) = run.tasks or []
    own = task.run_id
    assert light.logs(run) == {"told": f"{run.run_id} {own} told {run.job_id} {light.url} {own}\n"}
    assert task.resolved_values is not None
    assert task.resolved_values.spark_python_task is not None
    shown_with_it = task.resolved_values.spark_python_task.parameters
    assert shown_with_it == [str(run.run_id), str(own), "told", str(run.job_id), light.url, str(own)]


SEVERAL_WAYS = """\
from databricks.sdk.runtime import dbutils
from pyspark.dbutils import DBUtils
assert DBUtils(None) is dbutils
dbutils.jobs.taskValues.set(key="rows", value=3)
dbutils.jobs.taskValues.set(key="names", value={"first": "x"})
"""
READ = """\
import sys
from databricks.sdk.runtime import dbutils
values = dbutils.jobs.taskValues
print(sys.argv[1], values.get("find", "rows"), values.get("find", "none", default="nothing"))
values.get("find", "none")
"""


def test_a_task_leaves_values_for_later_ones(light: Server) -> None:
    find = light.script("find", SEVERAL_WAYS)
    names = "{{tasks.find.values.names.first}}-{{tasks.find.result_state}}"
    read = light.script("read", READ, names, depends_on=[TaskDependency("find")])
    run = light.run(find, read)
    assert results(run) == {"find": "SUCCESS", "read": "FAILED"}
    assert light.logs(run)["read"] == "x-success 3 nothing\n"
    (_, failed) = light.outputs(run)
    assert failed.error == "ValueError: the task find has set no value 'none', and no default was given"


def test_a_task_that_needs_a_missing_value_fails_before_it_starts(light: Server) -> None:
    find = light.script("find", "pass")
    read = light.script("read", "print(1)", "{{tasks.find.values.rows}}", depends_on=[TaskDependency("find")])
    run = light.run(find, read)
    task = next(task for task in run.tasks or [] if task.task_key == "read")
    assert task.status is not None
    assert task.status.termination_details is not None
    assert task.status.termination_details.as_dict() == {
        "code": "INVALID_RUN_CONFIGURATION",
        "message": "The value referenced by {{tasks.find.values.rows}} was not found",
        "type": "CLIENT_ERROR",
    }


def test_a_value_has_a_limit(light: Server) -> None:
    source = "from databricks.sdk.runtime import dbutils\ndbutils.jobs.taskValues.set('big', 'x' * 49151)"
    (output,) = light.outputs(light.run(light.script("find", source)))
    assert output.error == "ValueError: a task value has at most 49152 bytes of JSON, and big has 49153"
