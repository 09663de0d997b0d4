"""Tasks that need no cluster: conditions, a task for each of many elements, and runs of other jobs."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from localcloud.databricks.engine.attempts import Attempts
from localcloud.databricks.engine.endings import Ending, StopSignal, decided, failed, misconfigured
from localcloud.databricks.engine.run_rules import holds
from localcloud.databricks.engine.task_rows import task_row
from localcloud.databricks.payloads.tasks import ConditionTask, ForEachTask, RunJobTask, Task
from localcloud.databricks.state import Run
from localcloud.errors import LocalCloudError

_MOST_ELEMENTS = 5000
_MESSAGES_SHOWN = 3
StartJob = Callable[[int, dict[str, str], int], Run]
"""Starts a run of a job, with its parameters and how deep runs have started each other."""
Follow = Callable[[Run, StopSignal], Ending]
RunOne = Callable[[Run, Task, dict[str, Any], StopSignal], Ending]


@dataclass(frozen=True)
class Control:
    """Runs the tasks of one run that need no cluster.

    Attributes:
        run: The run that they belong to.
        depth: How many runs of jobs started each other before it.
        start_job: Starts a run of another job.
        follow: Waits for such a run.
        run_one: Runs a task for one element, retries included.
    """

    attempts: Attempts
    run: Run
    depth: int
    start_job: StartJob
    follow: Follow
    run_one: RunOne

    def decide(self, row: Run, condition: ConditionTask) -> Ending:
        self.attempts.begin(row)
        try:
            ending = decided(holds(condition))
        except ValueError as error:
            ending = misconfigured(f"{condition.op} compares numbers: {error}")
        else:
            self.attempts.show(row, condition_task={**condition.as_json(), "outcome": ending.outcome})
        return self.attempts.finish(row, ending)

    def run_job(self, row: Run, task: RunJobTask, stop: StopSignal) -> Ending:
        """Runs another job to its end, which is this task's end."""
        self.attempts.begin(row)
        try:
            child = self.start_job(task.job_id, task.job_parameters, self.depth + 1)
        except LocalCloudError as error:
            return self.attempts.finish(row, misconfigured(str(error)))
        self.attempts.show(row, run_job_output={"run_id": child.run_id})
        ending = self.follow(child, stop)
        if stop.is_set and not ending.is_success:
            return self.attempts.finish(row, stop.ending)
        if ending.is_success:
            return self.attempts.finish(row, ending)
        return self.attempts.finish(row, failed(f"Run {child.run_id} of job {task.job_id} ended {ending.result_state}"))

    def run_for_each(self, row: Run, task: ForEachTask, stop: StopSignal) -> Ending:
        """Runs the nested task for every element, also after some have failed."""
        self.attempts.begin(row)
        try:
            elements = _elements(task.inputs)
        except ValueError as error:
            return self.attempts.finish(row, misconfigured(str(error)))
        with ThreadPoolExecutor(max_workers=task.concurrency) as pool:
            working = [pool.submit(self._element, row, task.task, element, stop) for element in elements]
            endings: list[Ending] = []
            self._show_progress(row, task, len(elements), endings)
            for done in as_completed(working):
                endings.append(done.result())
                self._show_progress(row, task, len(elements), endings)
        if stop.is_set and not all(ending.is_success for ending in endings):
            return self.attempts.finish(row, stop.ending)
        bad = sum(not ending.is_success for ending in endings)
        message = f"{bad} of {len(elements)} iterations failed"
        return self.attempts.finish(row, failed(message, message=message) if bad else Ending("SUCCESS", "SUCCESS"))

    def _element(self, row: Run, task: Task, element: Any, stop: StopSignal) -> Ending:
        attempt = task_row(self.run, task)
        attempt.parent_run_id = row.run_id
        self.attempts.state.add(attempt)
        if stop.is_set:
            return self.attempts.finish(attempt, stop.ending)
        return self.run_one(attempt, task, {"input": element}, stop)

    def _show_progress(self, row: Run, task: ForEachTask, total: int, endings: list[Ending]) -> None:
        succeeded = sum(ending.is_success for ending in endings)
        messages = Counter(ending.error or ending.message for ending in endings if not ending.is_success)
        stats = {
            "task_run_stats": {
                "total_iterations": total,
                "scheduled_iterations": total,
                "active_iterations": total - len(endings),
                "completed_iterations": len(endings),
                "succeeded_iterations": succeeded,
                "failed_iterations": len(endings) - succeeded,
            },
            "error_message_stats": [
                {"error_message": message, "count": count} for message, count in messages.most_common(_MESSAGES_SHOWN)
            ],
        }
        self.attempts.show(row, for_each_task={**task.as_json(), "stats": stats})


def _elements(inputs: str) -> list[Any]:
    """The JSON array that is gone through.

    Raises:
        ValueError: The text is none, or a longer one than Databricks takes.
    """
    try:
        found = json.loads(inputs)
    except ValueError:
        found = None
    if not isinstance(found, list) or len(found) > _MOST_ELEMENTS:
        raise ValueError(f"the inputs of a for_each_task must be a JSON array of at most {_MOST_ELEMENTS}: {inputs}")
    return found
