"""Runs and jobs as the Jobs API shows them."""

from collections.abc import Sequence
from typing import Any

from localcloud.databricks.output import Output
from localcloud.databricks.state import Job, Repair, Run, now

_NEWER_STATES = {"INTERNAL_ERROR": "TERMINATED", "SKIPPED": "TERMINATED", "WAITING_FOR_RETRY": "WAITING"}
_CLIENT_ERRORS = {
    "USER_CANCELED",
    "CANCELED",
    "RUN_EXECUTION_ERROR",
    "SUCCESS_WITH_FAILURES",
    "SKIPPED",
    "INVALID_RUN_CONFIGURATION",
}
CREATOR = "localcloud"
_RUN_JOB_OUTPUT = "run_job_output"


def run_page_url(base: str, run: Run) -> str:
    return f"{base}/runs/{run.run_id}"


def run_view(base: str, run: Run, tasks: Sequence[Run]) -> dict[str, Any]:
    """A run with its tasks; `base` is the workspace's URL."""
    return {
        **_common(base, run),
        "job_id": run.job_id or run.run_id,
        "run_name": run.run_name,
        "run_type": run.run_type,
        "number_in_job": run.run_id,
        "creator_user_name": CREATOR,
        "trigger": "ONE_TIME",
        "format": "MULTI_TASK",
        "run_duration": (run.end_time or now()) - run.start_time,
        "job_clusters": run.settings.get("job_clusters", []),
        "job_parameters": run.settings.get("job_parameters", []),
        "overriding_parameters": run.settings.get("overriding_parameters", {}),
        "tasks": [task_view(base, task) for task in tasks],
    }


def task_view(base: str, task: Run) -> dict[str, Any]:
    """One attempt at a task, with the task's settings."""
    instance = {"cluster_instance": {"cluster_id": task.cluster_id}} if task.cluster_id else {}
    shown = {name: value for name, value in task.settings.items() if name != _RUN_JOB_OUTPUT}
    return {**shown, **_common(base, task), "task_key": task.task_key, **instance}


def output_view(task: Run, notebook_result: Output) -> dict[str, Any]:
    """What tasks of some kinds leave besides what they printed."""
    if "notebook_task" in task.settings:
        return {"notebook_output": {"result": notebook_result.text, "truncated": notebook_result.is_truncated}}
    return {name: task.settings[name] for name in (_RUN_JOB_OUTPUT,) if name in task.settings}


def history_view(history: Sequence[Repair], attempts: Sequence[Run]) -> list[dict[str, Any]]:
    """The original run and its repairs, each with the task runs that belong to it."""
    return [
        {
            "type": "ORIGINAL" if entry.is_original else "REPAIR",
            **({} if entry.is_original else {"id": entry.repair_id}),
            "start_time": entry.start_time,
            "end_time": entry.end_time,
            "state": _state(entry),
            "status": _status(entry),
            "task_run_ids": [
                row.run_id for row in attempts if row.repair_id == (None if entry.is_original else entry.repair_id)
            ],
        }
        for entry in history
    ]


def job_view(job: Job, *, expand: bool = True) -> dict[str, Any]:
    hidden = set() if expand else {"tasks", "job_clusters"}
    settings = {name: value for name, value in job.settings.items() if name not in hidden}
    return {
        "job_id": job.job_id,
        "settings": {**settings, "format": "MULTI_TASK"},
        "created_time": job.created_time,
        "creator_user_name": CREATOR,
    }


def _common(base: str, run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "run_page_url": run_page_url(base, run),
        "attempt_number": run.attempt_number,
        "start_time": run.start_time,
        "setup_duration": run.setup_duration,
        "execution_duration": run.execution_duration,
        "cleanup_duration": 0,
        "end_time": run.end_time,
        "state": _state(run),
        "status": _status(run),
    }


def _state(run: Run | Repair) -> dict[str, Any]:
    result = {"result_state": run.result_state} if run.result_state else {}
    return {
        "life_cycle_state": run.life_cycle_state,
        **result,
        "state_message": run.state_message,
        "user_cancelled_or_timedout": run.result_state in ("CANCELED", "TIMEDOUT"),
    }


def _status(run: Run | Repair) -> dict[str, Any]:
    state = _NEWER_STATES.get(run.life_cycle_state, run.life_cycle_state)
    if not run.termination_code:
        return {"state": state}
    details = {"code": run.termination_code, "type": _kind(run.termination_code), "message": run.state_message}
    return {"state": state, "termination_details": details}


def _kind(code: str) -> str:
    if code == "SUCCESS":
        return "SUCCESS"
    return "CLIENT_ERROR" if code in _CLIENT_ERRORS else "INTERNAL_ERROR"
