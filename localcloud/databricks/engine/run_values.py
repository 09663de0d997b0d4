"""What a run's tasks may refer to, and the parameters that its job hands down."""

import json
from pathlib import Path
from typing import Any

from localcloud.databricks.payloads.tasks import Task
from localcloud.databricks.references import moments
from localcloud.databricks.state import Run
from localcloud.home import Home
from localcloud.ports import HOST

WORKSPACE_ID = "1"
_TAKE_JOB_PARAMETERS = {
    "notebook_task": "base_parameters",
    "python_wheel_task": "named_parameters",
    "run_job_task": "job_parameters",
}


def values_of_run(home: Home, run: Run) -> dict[str, Any]:
    """The namespaces that are the same for all of a run's tasks, and the older names for them."""
    begin = moments(run.start_time)
    job_id = str(run.job_id or run.run_id)
    job = {
        "id": job_id,
        "name": run.run_name,
        "run_id": str(run.run_id),
        "repair_count": str(run.settings.get("repair_count", 0)),
        "start_time": begin,
        "trigger": {"type": "manual", "time": begin},
        "parameters": job_parameters(run),
    }
    workspace = {"id": WORKSPACE_ID, "url": f"http://{HOST}:{home.port('workspace')}"}
    older = {"job_id": job_id, "parent_run_id": str(run.run_id), "start_date": begin["iso_date"]}
    return {"job": job, "workspace": workspace, **older, "start_time": begin["timestamp_ms"]}


def values_of_task(row: Run, task: Task) -> dict[str, Any]:
    """The namespace of one task, and the older names for it."""
    own = {"name": task.task_key, "run_id": str(row.run_id), "execution_count": str(row.attempt_number + 1)}
    own |= {"notebook_path": task.notebook_task.notebook_path} if task.notebook_task else {}
    older = {"run_id": own["run_id"], "task_key": task.task_key, "task_retry_count": str(row.attempt_number)}
    return {"task": own, **older}


def job_parameters(run: Run) -> dict[str, str]:
    return {each["name"]: each.get("value", each["default"]) for each in run.settings.get("job_parameters", [])}


def pushed_down(task: Task, run: Run) -> dict[str, Any]:
    """What the task does, with the job's parameters where it takes parameters by name."""
    action = task.action
    field = _TAKE_JOB_PARAMETERS.get(task.kind)
    is_positional = task.python_wheel_task is not None and not task.python_wheel_task.named_parameters
    if field is None or is_positional or not job_parameters(run):
        return action
    return {**action, field: action.get(field, {}) | job_parameters(run)}


def task_values(folder: Path) -> dict[str, Any]:
    """What the task in this folder has set for others."""
    path = folder / "task_values.json"
    if not path.is_file():
        return {}
    values: dict[str, Any] = json.loads(path.read_text())
    return values
