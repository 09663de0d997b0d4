"""The rows of attempts at tasks."""

from localcloud.databricks.engine.endings import Ending
from localcloud.databricks.payloads.tasks import Task
from localcloud.databricks.state import Run, now


def task_row(run: Run, task: Task, attempt_number: int = 0) -> Run:
    """The row of an attempt at a task that hasn't begun."""
    return Run(
        parent_run_id=run.run_id,
        job_id=run.job_id,
        task_key=task.task_key,
        attempt_number=attempt_number,
        run_name=task.task_key,
        run_type=run.run_type,
        settings=task.as_json(),
        life_cycle_state="BLOCKED" if task.upstream else "PENDING",
        start_time=now(),
    )


def next_attempt(row: Run, run: Run, task: Task) -> Run:
    """The row of one more attempt at the same task."""
    again = task_row(run, task, attempt_number=row.attempt_number + 1)
    again.parent_run_id, again.repair_id = row.parent_run_id, row.repair_id
    again.life_cycle_state = "WAITING_FOR_RETRY"
    return again


def ending_of(row: Run) -> Ending:
    """How a run or an attempt that is over has ended."""
    return Ending(
        row.result_state or "FAILED",
        row.termination_code or "INTERNAL_ERROR",
        row.life_cycle_state,
        message=row.state_message,
        error=row.error,
        error_trace=row.error_trace,
        outcome=row.settings.get("condition_task", {}).get("outcome"),
    )
