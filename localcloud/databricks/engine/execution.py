"""One run being executed: its tasks in the order of their dependencies."""

from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any, Protocol

from localcloud.databricks.engine.attempts import Attempts
from localcloud.databricks.engine.control import Control, StartJob
from localcloud.databricks.engine.endings import Ending, StopSignal, misconfigured
from localcloud.databricks.engine.run_rules import may_retry, overall, refusal
from localcloud.databricks.engine.run_values import pushed_down, task_values, values_of_run, values_of_task
from localcloud.databricks.engine.task_rows import ending_of, next_attempt
from localcloud.databricks.payloads.runs import RunSettings
from localcloud.databricks.payloads.tasks import Task
from localcloud.databricks.references import UnresolvedReferenceError, resolve
from localcloud.databricks.state import Run


class Engine(Protocol):
    """What an execution needs of the engine that it belongs to."""

    attempts: Attempts

    def slot(self, row: Run) -> AbstractContextManager[None]: ...
    def cancellable(self, row: Run, stop: StopSignal) -> AbstractContextManager[None]: ...
    def follow(self, run: Run, stop: StopSignal) -> Ending: ...


@dataclass
class Execution:
    """One run, or one repair of it.

    Attributes:
        latest: The newest attempt at each task.
        kept: How tasks ended that a repair doesn't run again.
        depth: How many runs of jobs started each other before this one.
        start_job: Starts one more.
    """

    engine: Engine
    run: Run
    settings: RunSettings
    stop: StopSignal
    latest: dict[str, Run]
    kept: Mapping[str, Ending]
    depth: int
    start_job: StartJob
    _endings: dict[str, Ending] = field(default_factory=dict)
    _values: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each task that has ended has set for others."""

    @cached_property
    def _tasks(self) -> dict[str, Task]:
        return {task.task_key: task for task in self.settings.tasks}

    def execute(self) -> Ending:
        """Runs the tasks; independent ones side by side."""
        order = TopologicalSorter({key: task.upstream for key, task in self._tasks.items()})
        order.prepare()
        working: dict[Future[Ending], str] = {}
        with ThreadPoolExecutor(max_workers=len(self._tasks)) as pool:
            while order.is_active():
                for key in order.get_ready():
                    working[pool.submit(self._task, key)] = key
                done, _ = wait(working, return_when=FIRST_COMPLETED)
                for future in done:
                    key = working.pop(future)
                    self._endings[key] = future.result()
                    self._values[key] = task_values(self.engine.attempts.folder(self.latest[key].run_id))
                    order.done(key)
        was_stopped = self.stop.is_set and not all(ending.is_success for ending in self._endings.values())
        return self.stop.ending if was_stopped else overall(self.settings.tasks, self._endings)

    def _task(self, key: str) -> Ending:
        if key in self.kept:
            return self.kept[key]
        task, row = self._tasks[key], self.latest[key]
        if (ended := self._ended_before(row)) is not None:
            return ended
        refused = self.stop.ending if self.stop.is_set else refusal(task, dict(self._endings))
        if refused is not None:
            return self.engine.attempts.finish(row, refused)
        return self._until_done(row, task, {}, self.stop)

    def _until_done(self, row: Run, task: Task, item: dict[str, Any], stop: StopSignal) -> Ending:
        """Attempts, until one succeeds or no more are allowed; `item` is what `{{input}}` refers to."""
        while True:
            own = stop.within(task.timeout_seconds if task.for_each_task or task.run_job_task else 0)
            with self.engine.cancellable(row, own):
                ending = self._ended_before(row) or self._attempt(row, task, item, own)
            if stop.is_set or not may_retry(ending, task, row.attempt_number):
                return ending
            row = next_attempt(row, self.run, task)
            self.engine.attempts.state.add(row)
            if not item:
                self.latest[task.task_key] = row
            stop.wait(task.min_retry_interval_millis / 1000)

    def _attempt(self, row: Run, task: Task, item: dict[str, Any], stop: StopSignal) -> Ending:
        try:
            resolved = self._resolved(row, task, item)
        except UnresolvedReferenceError as error:
            return self.engine.attempts.finish(row, misconfigured(str(error)))
        control = Control(
            self.engine.attempts, self.run, self.depth, self.start_job, self.engine.follow, self._until_done
        )
        if resolved.condition_task:
            return control.decide(row, resolved.condition_task)
        if resolved.for_each_task:
            return control.run_for_each(row, resolved.for_each_task, stop)
        if resolved.run_job_task:
            return control.run_job(row, resolved.run_job_task, stop)
        with self.engine.slot(row):
            if self.engine.attempts.has_begun(row):
                return self.engine.attempts.follow(row, resolved, stop)
            return self.engine.attempts.execute(row, resolved, self.settings, stop, dict(self._values))

    def _ended_before(self, row: Run) -> Ending | None:
        """How an attempt ended that was cancelled before it began."""
        current = self.engine.attempts.state.get(Run, row.run_id) or row
        return ending_of(current) if current.is_terminal else None

    def _resolved(self, row: Run, task: Task, item: dict[str, Any]) -> Task:
        """The task with the job's parameters and every reference replaced; what changed is shown with the attempt."""
        values = values_of_run(self.engine.attempts.home, self.run) | values_of_task(row, task) | item
        values["tasks"] = {key: self._of_task(key, found) for key, found in list(self._values.items())}
        action = pushed_down(task, self.run)
        # The nested task of a for_each_task is resolved for each element, when the element is known.
        nested = {"task": action.pop("task")} if task.for_each_task else {}
        resolved = {**resolve(action, values), **nested}
        if resolved != task.action:
            self.engine.attempts.show(row, resolved_values={task.kind: resolved})
        return task.with_action(resolved)

    def _of_task(self, key: str, values: dict[str, Any]) -> dict[str, Any]:
        own: dict[str, Any] = values_of_task(self.latest[key], self._tasks[key])["task"]
        return {**own, "result_state": self._endings[key].result_state.lower(), "values": values}
