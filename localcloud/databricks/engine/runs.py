"""Runs: which task goes when, how often it is tried again, and what the whole comes to."""

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from sqlalchemy import Select, or_, select

from localcloud.databricks.engine.attempts import Attempts
from localcloud.databricks.engine.endings import (
    CANCELED,
    EXCLUDED,
    INTERRUPTED,
    SKIPPED,
    SUCCESS,
    Ending,
    StopSignal,
)
from localcloud.databricks.payloads import RunSettings, Task
from localcloud.databricks.state import TERMINAL, Run, State, now

log = logging.getLogger(__name__)

_ENDLESS = -1
_QUEUE_POLL_SECONDS = 0.5


@dataclass
class RunEngine:
    """Executes runs, each in threads of its own.

    Attributes:
        slots: How many tasks may run at once; the others wait as QUEUED.
        admission: Held while deciding whether one more run of a job may start.
    """

    state: State
    attempts: Attempts
    slots: threading.BoundedSemaphore
    admission: threading.Lock = field(default_factory=threading.Lock)
    _active: dict[int, StopSignal] = field(default_factory=dict)
    _threads: dict[int, threading.Thread] = field(default_factory=dict)

    def start(self, run: Run, parameters: list[str]) -> None:
        """Starts executing a run whose row is already there; returns at once."""
        settings = RunSettings.model_validate(run.settings)
        stop = StopSignal(settings.timeout_seconds)
        self._active[run.run_id] = stop
        execution = _Execution(self, run, settings, parameters, stop)
        thread = threading.Thread(target=self._execute, args=[execution], name=f"run-{run.run_id}", daemon=True)
        self._threads[run.run_id] = thread
        thread.start()

    def cancel(self, run_id: int) -> None:
        """Tells the run to end, if it is active; it does so soon after."""
        stop = self._active.get(run_id)
        if stop is not None:
            self.state.update_active_run(run_id, life_cycle_state="TERMINATING", state_message="Cancelling")
            stop.request(CANCELED)

    def active_runs(self, job_id: int) -> list[Run]:
        of_job = select(Run).where(Run.job_id == job_id, Run.parent_run_id.is_(None))
        return self.state.find(of_job.where(Run.life_cycle_state.not_in(TERMINAL)))

    def interrupt(self) -> None:
        """Tells every run to end, since the workspace does."""
        for stop in list(self._active.values()):
            stop.request(INTERRUPTED)

    def join(self) -> None:
        """Returns when every run has ended."""
        for thread in list(self._threads.values()):
            thread.join()

    def recover(self) -> None:
        """What was active when the last server ended did not finish, and says so."""
        self._finish_all(select(Run), INTERRUPTED)

    def _finish_all(self, runs: Select[Run], ending: Ending) -> None:
        for row in self.state.find(runs.where(Run.life_cycle_state.not_in(TERMINAL))):
            self.attempts.finish(row, ending)

    def _execute(self, execution: "_Execution") -> None:
        run_id = execution.run.run_id
        try:
            self.attempts.finish(execution.run, execution.execute())
        except Exception as error:
            log.exception("run %s broke the engine", run_id)
            message = f"The local workspace failed: {type(error).__name__}: {error}"
            broken = Ending("FAILED", "INTERNAL_ERROR", "INTERNAL_ERROR", message=message, error=message)
            self._finish_all(select(Run).where(or_(Run.run_id == run_id, Run.parent_run_id == run_id)), broken)
        finally:
            del self._active[run_id]
            del self._threads[run_id]


@dataclass
class _Execution:
    """One run being executed."""

    engine: RunEngine
    run: Run
    settings: RunSettings
    parameters: list[str]
    stop: StopSignal

    def execute(self) -> Ending:
        """Runs the tasks in the order of their dependencies; independent ones side by side."""
        tasks = {task.task_key: task for task in self.settings.tasks}
        rows = self._first_attempts(tasks)
        self._await_turn()
        self.engine.state.update_active_run(self.run.run_id, life_cycle_state="RUNNING", state_message="In run")
        order = TopologicalSorter({key: task.upstream for key, task in tasks.items()})
        order.prepare()
        endings: dict[str, Ending] = {}
        working: dict[Future[Ending], str] = {}
        with ThreadPoolExecutor(max_workers=len(tasks)) as pool:
            while order.is_active():
                for key in order.get_ready():
                    upstream = [endings[each] for each in tasks[key].upstream]
                    working[pool.submit(self._execute_task, rows[key], tasks[key], upstream)] = key
                done, _ = wait(working, return_when=FIRST_COMPLETED)
                for future in done:
                    key = working.pop(future)
                    endings[key] = future.result()
                    order.done(key)
        was_stopped = self.stop.is_set and any(ending is not SUCCESS for ending in endings.values())
        return self.stop.ending if was_stopped else overall(tasks.values(), endings)

    def _await_turn(self) -> None:
        """Waits until few enough earlier runs of the job are active: a job with a queue may have more."""
        limit = int(self.run.settings.get("max_concurrent_runs", 1))
        while self.run.job_id is not None and not self.stop.is_set:
            if sum(run.run_id < self.run.run_id for run in self.engine.active_runs(self.run.job_id)) < limit:
                return
            self.engine.state.update_active_run(self.run.run_id, life_cycle_state="QUEUED", state_message="Queued")
            self.stop.wait(_QUEUE_POLL_SECONDS)

    def _first_attempts(self, tasks: dict[str, Task]) -> dict[str, Run]:
        query = select(Run).where(Run.parent_run_id == self.run.run_id)
        return {row.task_key: row for row in self.engine.state.find(query) if row.task_key in tasks}

    def _execute_task(self, row: Run, task: Task, upstream: list[Ending]) -> Ending:
        refused = self.stop.ending if self.stop.is_set else refusal(task, upstream)
        if refused is not None:
            self.engine.attempts.finish(row, refused)
            return refused
        while True:
            ending = self._attempt(row, task)
            if not self._may_retry(ending, task, row.attempt_number):
                return ending
            row = self._next_attempt(row, task)

    def _attempt(self, row: Run, task: Task) -> Ending:
        self._take_slot(row)
        try:
            return self.engine.attempts.execute(row, task, self.settings, self.parameters, self.stop)
        finally:
            self.engine.slots.release()

    def _take_slot(self, row: Run) -> None:
        if not self.engine.slots.acquire(blocking=False):
            self.engine.state.update(
                Run, row.run_id, life_cycle_state="QUEUED", state_message="Waiting for a free slot"
            )
            self.engine.slots.acquire()  # a stopped run's tasks get theirs too: whoever holds one gives it back

    def _may_retry(self, ending: Ending, task: Task, attempt_number: int) -> bool:
        if ending is SUCCESS or self.stop.is_set:
            return False
        if ending.result_state == "TIMEDOUT" and not task.retry_on_timeout:
            return False
        return task.max_retries == _ENDLESS or attempt_number < task.max_retries

    def _next_attempt(self, row: Run, task: Task) -> Run:
        again = task_row(self.run, task, attempt_number=row.attempt_number + 1)
        again.life_cycle_state = "WAITING_FOR_RETRY"
        self.engine.state.add(again)
        self.stop.wait(task.min_retry_interval_millis / 1000)
        return again


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


def refusal(task: Task, upstream: list[Ending]) -> Ending | None:
    """How a task ends that its upstream tasks keep from running."""
    results = [ending.result_state for ending in upstream]
    if not results or _CONDITIONS[task.run_if](results):
        return None
    return SKIPPED if task.run_if in ("ALL_SUCCESS", "NONE_FAILED") else EXCLUDED


_FAILED = {"FAILED", "TIMEDOUT", "CANCELED", "UPSTREAM_FAILED"}
_CONDITIONS: dict[str, Callable[[list[str]], bool]] = {
    "ALL_SUCCESS": lambda results: all(result == "SUCCESS" for result in results),
    "ALL_DONE": lambda _: True,
    "NONE_FAILED": lambda results: not _FAILED & set(results) and "SUCCESS" in results,
    "AT_LEAST_ONE_SUCCESS": lambda results: "SUCCESS" in results,
    "ALL_FAILED": lambda results: all(result in _FAILED for result in results),
    "AT_LEAST_ONE_FAILED": lambda results: bool(_FAILED & set(results)),
}


def overall(tasks: Iterable[Task], endings: dict[str, Ending]) -> Ending:
    """As on Databricks: the tasks that none depends on decide, and failures before them are mentioned."""
    needed = {key for task in tasks for key in task.upstream}
    failures = {key: ending for key, ending in endings.items() if ending.result_state in _FAILED}
    if not failures:
        return SUCCESS
    if not failures.keys() - needed:
        return Ending("SUCCESS_WITH_FAILURES", "SUCCESS_WITH_FAILURES")
    key, first = next(iter(failures.items()))
    message = f"Task {key} failed with message: {first.message}"
    state = "INTERNAL_ERROR" if first.life_cycle_state == "INTERNAL_ERROR" else "TERMINATED"
    return Ending("FAILED", first.code, state, message=message)
