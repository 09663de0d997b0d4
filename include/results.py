"""What a run left behind: its last output, its result, or why it failed."""

import json
from collections.abc import Mapping
from typing import Any

from airflow.providers.databricks.hooks.databricks import RunState

from include.errors import JobFailedError

TAIL_LINES = 100
_RESULT = "RESULT "
_FAILURE = "FAILURE "

# Databricks' termination codes of failures that stay until somebody changes something, or that somebody wanted.
_FINAL_CODES = {
    "BUDGET_POLICY_LIMIT_EXCEEDED",
    "DISABLED",
    "FEATURE_DISABLED",
    "INVALID_CLUSTER_REQUEST",
    "INVALID_RUN_CONFIGURATION",
    "UNAUTHORIZED_ERROR",
    "USER_CANCELED",
}


def latest_task_run(run: Mapping[str, Any]) -> int:
    """Id of the newest attempt of a run's one task: outputs belong to task runs, not to the run around them."""
    attempts = sorted(run.get("tasks", []), key=lambda task: task.get("attempt_number", 0))
    newest: int = attempts[-1]["run_id"] if attempts else run["run_id"]
    return newest


def tail(text: str) -> list[str]:
    """The last lines, and a word about those before them."""
    lines = text.splitlines()
    hidden = len(lines) - TAIL_LINES
    return ([f"… {hidden} earlier lines are on the run's page"] if hidden > 0 else []) + lines[-TAIL_LINES:]


def parse_result(step: str, logs: str) -> dict[str, Any]:
    """What the job said in its last `RESULT {json}` line.

    Raises:
        JobFailedError: There is no such line, or it isn't a JSON object.
    """
    lines = [line for line in logs.splitlines() if line.startswith(_RESULT)]
    if not lines:
        raise JobFailedError(f"{step} must print a line `RESULT {{json}}` and printed none: see the run's page")
    try:
        result = json.loads(lines[-1].removeprefix(_RESULT))
    except json.JSONDecodeError as error:
        raise JobFailedError(f"{step} printed a RESULT line that is not JSON ({error}): {lines[-1].strip()}") from None
    if not isinstance(result, dict):
        raise JobFailedError(f"{step} must print a JSON object as its RESULT, found: {lines[-1]}")
    return result


def retry_helps(run: Mapping[str, Any], output: Mapping[str, Any]) -> bool:
    """Whether a failed run may succeed when it is tried again: not when its job, or Databricks, says that it won't."""
    code = run.get("status", {}).get("termination_details", {}).get("code")
    told = [line for line in (output.get("logs") or "").splitlines() if line.startswith(_FAILURE)]
    return code not in _FINAL_CODES and (not told or _says_that_retry_helps(told[-1]))


def _says_that_retry_helps(line: str) -> bool:
    try:
        failure = json.loads(line.removeprefix(_FAILURE))
    except json.JSONDecodeError:
        return True
    return not isinstance(failure, dict) or failure.get("retry_helps") is not False


def failure_sentence(state: RunState, output: Mapping[str, Any]) -> str:
    """The job's own error in one line, or what Databricks says about the run where the job said nothing."""
    said = str(output.get("error") or state.state_message or "no reason given").strip().splitlines()[0]
    return f"{state.result_state or state.life_cycle_state}: {said}"
