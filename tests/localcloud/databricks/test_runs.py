"""Runs on a real cluster, submitted and watched by an unmodified databricks-sdk."""

import ast
from pathlib import Path

import psutil
import pytest
from databricks.sdk.errors import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.service.compute import Library
from databricks.sdk.service.jobs import RunIf, SparkPythonTask, TaskDependency
from databricks.sdk.service.workspace import ImportFormat

from tests.localcloud.databricks.server import KEY, Server, states, step
from tests.localcloud.waiting import wait_until
from tests.processes import command


def test_wheel_task_runs_with_its_parameters_and_its_output_is_kept(workspace: Server) -> None:
    run = workspace.run(step("count_rows", "--snapshot_date=2026-01-31"))
    (output,) = workspace.outputs(run)
    assert states(run) == [("count_rows", "TERMINATED", "SUCCESS")]
    assert output.logs == "arguments ['--snapshot_date=2026-01-31']\nRESULT {\"rows\":7}\n"
    assert output.error is None
    assert output.logs_truncated is False


def test_named_parameters_become_options(workspace: Server) -> None:
    task = step("count_rows")
    assert task.python_wheel_task is not None
    task.python_wheel_task.parameters = None
    task.python_wheel_task.named_parameters = {"snapshot_date": "2026-01-31", "k": "5"}
    (output,) = workspace.outputs(workspace.run(task))
    assert (output.logs or "").splitlines()[0] == "arguments ['--snapshot_date=2026-01-31', '--k=5']"


def test_failing_task_tells_its_error_and_traceback(workspace: Server) -> None:
    run = workspace.run(step("fail"))
    (output,) = workspace.outputs(run)
    assert states(run) == [("fail", "TERMINATED", "FAILED")]
    assert run.state is not None
    assert run.state.state_message == "Task fail failed with message: Workload failed, see run output for details"
    assert output.error == "ValueError: the month has no day 32"
    assert output.error_trace is not None
    assert 'steps.py", line' in output.error_trace
    assert "launch.py" not in output.error_trace


def test_unknown_entry_point_and_package_are_failures(workspace: Server) -> None:
    unknown = step("no_such_step")
    missing = step("count_rows", libraries=[])
    (first,) = workspace.outputs(workspace.run(unknown))
    assert first.error == (
        "TaskDefinitionError: the package steps has no entry point and no function named 'no_such_step'"
    )
    assert missing.python_wheel_task is not None
    missing.python_wheel_task.package_name = "other"
    missing.libraries = unknown.libraries
    (second,) = workspace.outputs(workspace.run(missing))
    assert second.error == ("TaskDefinitionError: the package 'other' is required and the task's libraries hold: steps")


def test_script_of_the_workspace_runs(workspace: Server) -> None:
    script = b"import sys\nprint(__name__, sys.argv[1:])\n"
    workspace.client.workspace.upload("/Shared/script.py", script, format=ImportFormat.AUTO, overwrite=True)
    task = step("script", python_wheel_task=None)
    task.spark_python_task = SparkPythonTask(python_file="/Workspace/Shared/script.py", parameters=["a", "1"])
    (output,) = workspace.outputs(workspace.run(task))
    assert output.logs == "__main__ ['a', '1']\n"


def test_tasks_wait_for_those_they_depend_on_and_are_skipped_when_these_fail(workspace: Server) -> None:
    run = workspace.run(
        step("count_rows"),
        step("fail", depends_on=[TaskDependency("count_rows")]),
        step("first_line", depends_on=[TaskDependency("fail")]),
        step("show_environment", depends_on=[TaskDependency("fail")], run_if=RunIf.ALL_DONE),
    )
    assert states(run) == [
        ("count_rows", "TERMINATED", "SUCCESS"),
        ("fail", "TERMINATED", "FAILED"),
        ("first_line", "SKIPPED", "UPSTREAM_FAILED"),
        ("show_environment", "TERMINATED", "SUCCESS"),
    ]
    ends = {task.task_key: (task.start_time, task.end_time) for task in run.tasks or []}
    assert (ends["count_rows"][1] or 0) <= (ends["fail"][0] or 0)


def test_retries_until_the_task_succeeds(workspace: Server, tmp_path: Path) -> None:
    task = step("fail_until_third_attempt", str(tmp_path / "tries"), max_retries=5, min_retry_interval_millis=1)
    run = workspace.run(task)
    assert [state for _, _, state in states(run)] == ["FAILED", "FAILED", "SUCCESS"]
    assert [attempt.attempt_number for attempt in run.tasks or []] == [0, 1, 2]
    assert run.state is not None
    assert run.state.result_state is not None
    assert run.state.result_state.value == "SUCCESS"


def test_task_and_run_that_take_too_long_are_ended(workspace: Server) -> None:
    slow_task = workspace.run(step("wait_forever", timeout_seconds=2))
    assert states(slow_task) == [("wait_forever", "TERMINATED", "TIMEDOUT")]
    slow_run = workspace.run(step("wait_forever"), timeout_seconds=2)
    assert states(slow_run) == [("wait_forever", "TERMINATED", "TIMEDOUT")]
    assert slow_run.state is not None
    assert slow_run.state.state_message == "Timed out after 2 seconds."


def test_cancel_ends_the_process_and_its_streaming_query(workspace: Server, tmp_path: Path) -> None:
    run_id = workspace.submit(step("stream_forever", str(tmp_path)))
    wait_until(lambda: "streaming" in workspace.printed(run_id), limit=120)
    wait_until(lambda: len(_batch_workers(workspace)) == 1, limit=60)
    pid = int(workspace.printed(run_id).split()[1])
    workspace.client.jobs.cancel_run(run_id)
    run = workspace.ended(run_id)
    assert states(run) == [("stream_forever", "TERMINATED", "CANCELED")]
    assert not psutil.pid_exists(pid)
    wait_until(lambda: not _batch_workers(workspace), limit=60)


def _batch_workers(workspace: Server) -> list[psutil.Process]:
    """The server's Python processes that handle the batches of streaming queries."""
    assert workspace.process is not None
    family = psutil.Process(workspace.process.pid).children(recursive=True)
    return [each for each in family if "pyspark.sql.connect.streaming.worker.foreach_batch_worker" in command(each)]


def test_same_idempotency_token_is_the_same_run(workspace: Server) -> None:
    jobs = workspace.client.jobs
    submitted = [jobs.submit(tasks=[step("first_line")], idempotency_token="once").bind() for _ in range(2)]
    first, again = (answer["run_id"] for answer in submitted)
    assert first == again
    workspace.ended(first)


def test_task_sees_a_clean_environment(workspace: Server) -> None:
    (output,) = workspace.outputs(workspace.run(step("show_environment")))
    names, greeting = (output.logs or "").splitlines()
    expected = {"GREETING", "PASSWORD", "LANG", "LOCALCLOUD_CLUSTER", "LOCALCLOUD_HOME", "PATH", "PYTHONPATH", "TZ"}
    expected |= {"SPARK_CONNECT_AUTHENTICATE_TOKEN", "SPARK_REMOTE"}
    assert expected <= set(ast.literal_eval(names))
    assert "SERVER_ONLY" not in names
    assert greeting == "hello"


def test_secrets_are_redacted_wherever_output_is_shown(workspace: Server) -> None:
    run = workspace.run(step("print_secret"))
    (output,) = workspace.outputs(run)
    assert output.logs == "the key is [REDACTED]\n"
    assert output.error == "ValueError: could not use [REDACTED]"
    assert KEY not in str(output.as_dict())


def test_task_cannot_ask_spark_for_the_storage_key(workspace: Server) -> None:
    run = workspace.run(step("probe_key"))
    assert states(run) == [("probe_key", "TERMINATED", "SUCCESS")]
    (task,) = run.tasks or []
    written = (workspace.home.workspace / "runs" / str(task.run_id) / "stdout").read_text()
    assert KEY not in written
    assert written.splitlines()[-1] == "PySparkAttributeError"


def test_key_is_in_no_command_line(workspace: Server) -> None:
    workspace.run(step("first_line"))
    assert workspace.process is not None
    family = psutil.Process(workspace.process.pid).children(recursive=True)
    lines = [" ".join(command(process)) for process in family]
    assert any("SparkConnectServer" in line for line in lines)
    assert not any(secret in line for line in lines for secret in (KEY, workspace.home.secret("connect-token")))


def test_missing_library_and_secret_keep_a_task_from_starting(workspace: Server) -> None:
    task = step("count_rows", libraries=[Library(whl="/Workspace/Shared/none-1.0-py3-none-any.whl")])
    run = workspace.run(task)
    assert states(run) == [("count_rows", "INTERNAL_ERROR", "FAILED")]
    (output,) = workspace.outputs(run)
    assert output.error == "no file at /Workspace/Shared/none-1.0-py3-none-any.whl: upload it first"


def test_runs_that_do_not_exist_are_refused_as_databricks_does(workspace: Server) -> None:
    with pytest.raises(ResourceDoesNotExist, match=r"Run 987654 does not exist\."):
        workspace.client.jobs.get_run(987654)


def test_tasks_that_cannot_run_here_are_refused(workspace: Server) -> None:
    jar = {"tasks": [{"task_key": "a", "spark_jar_task": {"main_class_name": "x"}, "existing_cluster_id": "y"}]}
    with pytest.raises(InvalidParameterValue, match="spark_jar_task can't be used locally"):
        workspace.client.api_client.do("POST", "/api/2.2/jobs/runs/submit", body=jar)


def test_runs_are_listed_newest_first_and_deleted(workspace: Server) -> None:
    first, second = (workspace.run(step("first_line")).run_id or 0 for _ in range(2))
    listed = [run.run_id for run in workspace.client.jobs.list_runs(limit=1, completed_only=True)]
    assert listed.index(second) < listed.index(first)
    workspace.client.jobs.delete_run(first)
    with pytest.raises(ResourceDoesNotExist):
        workspace.client.jobs.get_run(first)
