"""How runs come to be: submitted, as runs of a job, or once more as repairs."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from localcloud.databricks.engine.endings import Ending
from localcloud.databricks.engine.repairs import Repairs
from localcloud.databricks.engine.runs import RunEngine
from localcloud.databricks.engine.task_rows import task_row
from localcloud.databricks.errors import invalid_parameter, invalid_state
from localcloud.databricks.payloads.runs import JobSettings, Overrides, Queue, Repair, RunNow, SubmitRun
from localcloud.databricks.state import Job, Run, State, now

_DEEPEST = 3


@dataclass(frozen=True)
class Admission:
    """Lets runs in, one at a time, so that a token is used once and a job's limit holds."""

    state: State
    engine: RunEngine

    def submit(self, payload: SubmitRun) -> Run:
        run = _new_run(payload.run_name, "SUBMIT_RUN", payload.as_json(), payload.idempotency_token)
        with self.engine.admission:
            return self._known(run) or self._start(run, payload, depth=0)

    def run_now(self, payload: RunNow) -> Run:
        return self._run_job(payload.job_id, payload, payload.idempotency_token, depth=0, queue=payload.queue)

    def start_job(self, job_id: int, parameters: dict[str, str], depth: int) -> Run:
        """Runs a job for a task of another run; as on Databricks, such runs start each other three deep at most."""
        if depth > _DEEPEST:
            raise invalid_state(f"job {job_id} would be the {depth}th run that starts another: {_DEEPEST} are allowed")
        return self._run_job(job_id, Overrides(job_parameters=parameters), None, depth)

    def repair(self, run: Run, payload: Repair) -> int:
        """Runs some tasks of an ended run again; returns the repair's id."""
        with self.engine.admission:
            if not run.is_terminal:
                raise invalid_state(f"Run {run.run_id} is still active: a repair has to wait for its end")
            settings = self._settings(run.job_id) if run.job_id is not None else SubmitRun.model_validate(run.settings)
            repairs = Repairs(self.state, run)
            repairs.check_latest(payload.latest_repair_id)
            parameters = _job_parameters(settings, payload) if payload.job_parameters else _parameters_of(run)
            shown = _with_overrides(settings, payload) | parameters
            repair_id, latest, kept = repairs.begin(payload, settings.tasks, shown)
            self.engine.start(run, latest, kept, 0, self.start_job)
        return repair_id

    def _run_job(
        self, job_id: int, overrides: Overrides, token: str | None, depth: int, queue: Queue | None = None
    ) -> Run:
        settings = self._settings(job_id)
        shown = _with_overrides(settings, overrides) | _job_parameters(settings, overrides)
        run = _new_run(settings.name, "JOB_RUN", shown, token)
        run.job_id = job_id
        with self.engine.admission:
            if (same := self._known(run)) is not None:
                return same
            if self._is_beyond_limit(job_id, settings, queue or settings.queue):
                return self._skip(run)
            return self._start(run, JobSettings.model_validate(shown), depth)

    def _settings(self, job_id: int) -> JobSettings:
        job = self.state.get(Job, job_id)
        if job is None:
            raise invalid_parameter(f"Job {job_id} does not exist.")
        return JobSettings.model_validate(job.settings)

    def _known(self, run: Run) -> Run | None:
        """The run that came with the same token before."""
        if run.idempotency_token is None:
            return None
        return next(iter(self.state.find(select(Run).where(Run.idempotency_token == run.idempotency_token))), None)

    def _start(self, run: Run, settings: JobSettings | SubmitRun, depth: int) -> Run:
        with self.state.transaction() as session:
            session.add(run)
            session.flush()
            rows = {task.task_key: task_row(run, task) for task in settings.tasks}
            session.add_all(rows.values())
        nothing_kept: dict[str, Ending] = {}
        self.engine.start(run, rows, nothing_kept, depth, self.start_job)
        return run

    def _is_beyond_limit(self, job_id: int, settings: JobSettings, queue: Queue) -> bool:
        """Whether a further run must be skipped; where there is a queue, none is."""
        return not queue.enabled and len(self.engine.active_runs(job_id)) >= settings.max_concurrent_runs

    def _skip(self, run: Run) -> Run:
        run.life_cycle_state = "SKIPPED"
        run.result_state = "MAXIMUM_CONCURRENT_RUNS_REACHED"
        run.termination_code = "MAX_CONCURRENT_RUNS_EXCEEDED"
        run.state_message = "An instance of this job is already running"
        run.end_time = now()
        self.state.add(run)
        return run


def _new_run(name: str, kind: str, settings: dict[str, Any], token: str | None) -> Run:
    return Run(run_name=name, run_type=kind, settings=settings, idempotency_token=token, start_time=now())


def _with_overrides(settings: JobSettings | SubmitRun, overrides: Overrides) -> dict[str, Any]:
    tasks = [overrides.apply(task).as_json() for task in settings.tasks]
    shown = {"overriding_parameters": overrides.of_tasks} if overrides.of_tasks else {}
    return settings.as_json() | {"tasks": tasks} | shown


def _job_parameters(settings: JobSettings | SubmitRun, overrides: Overrides) -> dict[str, Any]:
    """The job's parameters with this run's values; those that only the run has come last."""
    defaults = {each.name: each.default for each in getattr(settings, "parameters", [])}
    given = overrides.job_parameters
    names = [*defaults, *(name for name in given if name not in defaults)]
    values = [
        {"name": name, "default": defaults.get(name, ""), **({"value": given[name]} if name in given else {})}
        for name in names
    ]
    return {"job_parameters": values} if values else {}


def _parameters_of(run: Run) -> dict[str, Any]:
    return {name: run.settings[name] for name in ("job_parameters",) if name in run.settings}
