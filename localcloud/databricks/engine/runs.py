"""The runs that are active: started, followed, cancelled, and ended when the workspace was."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Select, or_, select

from localcloud.databricks.engine.attempts import Attempts
from localcloud.databricks.engine.control import StartJob
from localcloud.databricks.engine.endings import CANCELED, INTERRUPTED, Ending, StopSignal
from localcloud.databricks.engine.execution import Execution
from localcloud.databricks.engine.task_rows import ending_of
from localcloud.databricks.payloads.runs import RunSettings
from localcloud.databricks.state import TERMINAL, Run, State, now

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
_WAITING = {"for_each_task", "run_job_task"}


@dataclass
class RunEngine:
    """Executes runs, each in threads of its own.

    Attributes:
        slots: How many tasks may run on clusters at once; the others wait as QUEUED.
        admission: Held while deciding whether one more run may start.
    """

    state: State
    attempts: Attempts
    slots: threading.BoundedSemaphore
    admission: threading.RLock = field(default_factory=threading.RLock)
    _active: dict[int, StopSignal] = field(default_factory=dict)
    _cancelling: threading.Lock = field(default_factory=threading.Lock)
    _threads: dict[int, threading.Thread] = field(default_factory=dict)

    def start(
        self,
        run: Run,
        latest: dict[str, Run],
        kept: dict[str, Ending],
        depth: int,
        start_job: StartJob,
        *,
        spent_seconds: int = 0,
    ) -> None:
        """Starts executing a run whose row is already there; returns at once. For the rest see `Execution`."""
        settings = RunSettings.model_validate(run.settings)
        limit = settings.timeout_seconds
        stop = StopSignal(max(1, limit - spent_seconds) if limit else 0)
        if run.life_cycle_state == "TERMINATING":
            stop.request(CANCELED)
        self._active[run.run_id] = stop
        execution = Execution(self, run, settings, stop, latest, kept, depth, start_job)
        thread = threading.Thread(target=self._execute, args=[execution], name=f"run-{run.run_id}", daemon=True)
        self._threads[run.run_id] = thread
        thread.start()

    def cancel(self, run: Run) -> None:
        """Tells a run, or one attempt at a task, to end if it is active; it does so soon after."""
        with self._cancelling:
            stop = self._active.get(run.run_id)
            if stop is not None:
                self.state.update_active_run(run.run_id, life_cycle_state="TERMINATING", state_message="Cancelling")
                stop.request(CANCELED)
            else:
                # Waiting for others, or for its next attempt; whoever was at work has written down its end by now.
                self._finish_all(select(Run).where(Run.run_id == run.run_id), CANCELED)

    @contextmanager
    def cancellable(self, row: Run, stop: StopSignal) -> Iterator[None]:
        """While an attempt is at work, whoever cancels it tells its signal."""
        with self._cancelling:
            self._active[row.run_id] = stop
        try:
            yield
        finally:
            del self._active[row.run_id]

    def follow(self, run: Run, stop: StopSignal) -> Ending:
        """Waits until the run has ended; when told to stop, ends it."""
        while (thread := self._threads.get(run.run_id)) is not None:
            if stop.is_set:
                self.cancel(run)
            thread.join(_POLL_SECONDS)
        return ending_of(self.state.get(Run, run.run_id) or run)

    def active_runs(self, job_id: int) -> list[Run]:
        of_job = select(Run).where(Run.job_id == job_id, Run.parent_run_id.is_(None))
        return self.state.find(of_job.where(Run.life_cycle_state.not_in(TERMINAL)))

    @contextmanager
    def slot(self, row: Run) -> Iterator[None]:
        """Room for one more task; the attempt waits for it as QUEUED."""
        if not self.slots.acquire(blocking=False):
            self.state.update(Run, row.run_id, life_cycle_state="QUEUED", state_message="Waiting for a free slot")
            self.slots.acquire()  # a stopped run's tasks get theirs too: whoever holds one gives it back
        try:
            yield
        finally:
            self.slots.release()

    def interrupt(self) -> None:
        """Tells every run to end, since the workspace does."""
        for stop in list(self._active.values()):
            stop.request(INTERRUPTED)

    def join(self) -> None:
        """Returns when every run has ended."""
        for thread in list(self._threads.values()):
            thread.join()

    def alive(self) -> list[int]:
        """The attempts of before whose processes still live on clusters that are up."""
        attempts = self.state.find(
            select(Run).where(Run.parent_run_id.is_not(None), Run.life_cycle_state.not_in(TERMINAL))
        )
        return [row.run_id for row in attempts if self.attempts.is_alive(row)]

    def recover(self, start_job: StartJob) -> None:
        """Goes on with what was active when the last server ended, as far as its processes live.

        An attempt whose process is gone did not finish, and says so. So does a run in the middle of a loop or of
        another job's run: what these were waiting for is not written down.
        """
        for run in self.state.find(
            select(Run).where(Run.parent_run_id.is_(None), Run.life_cycle_state.not_in(TERMINAL))
        ):
            attempts = self.state.find(select(Run).where(Run.parent_run_id == run.run_id).order_by(Run.run_id))
            if any(not row.is_terminal and row.settings.keys() & _WAITING for row in attempts):
                self._finish_all(_family(run.run_id), INTERRUPTED)
            else:
                latest = {row.task_key or "": row for row in attempts}
                self.start(run, latest, {}, 0, start_job, spent_seconds=(now() - run.start_time) // 1000)

    def _finish_all(self, runs: Select[Run], ending: Ending) -> None:
        for row in self.state.find(runs.where(Run.life_cycle_state.not_in(TERMINAL))):
            self.attempts.finish(row, ending)

    def _execute(self, execution: Execution) -> None:
        run = execution.run
        try:
            self._await_turn(run, execution.stop)
            self.state.update_active_run(run.run_id, life_cycle_state="RUNNING", state_message="In run")
            self.attempts.finish(run, execution.execute())
        except Exception as error:
            log.exception("run %s broke the engine", run.run_id)
            message = f"The local workspace failed: {type(error).__name__}: {error}"
            broken = Ending("FAILED", "INTERNAL_ERROR", "INTERNAL_ERROR", message=message, error=message)
            self._finish_all(_family(run.run_id), broken)
        finally:
            del self._active[run.run_id]
            del self._threads[run.run_id]

    def _await_turn(self, run: Run, stop: StopSignal) -> None:
        """Waits until few enough earlier runs of the job are active: a job with a queue may have more."""
        limit = int(run.settings.get("max_concurrent_runs", 1))
        while run.job_id is not None and not stop.is_set:
            if sum(other.run_id < run.run_id for other in self.active_runs(run.job_id)) < limit:
                return
            self.state.update_active_run(run.run_id, life_cycle_state="QUEUED", state_message="Queued")
            stop.wait(_POLL_SECONDS)


def _family(run_id: int) -> Select[Run]:
    """The run, its tasks and their iterations."""
    tasks = select(Run.run_id).where(Run.parent_run_id == run_id)
    return select(Run).where(or_(Run.run_id == run_id, Run.parent_run_id == run_id, Run.parent_run_id.in_(tasks)))
