"""Jobs: `jobs/create`, `reset`, `update`, `get`, `list`, `delete`, `run-now`."""

from typing import Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, ValidationError, model_validator
from sqlalchemy import func, select

from localcloud.databricks.errors import invalid_parameter
from localcloud.databricks.payloads import UNSUPPORTED_SETTINGS, JobSettings, Payload, Text
from localcloud.databricks.routes.common import Current
from localcloud.databricks.routes.runs import start_run
from localcloud.databricks.run_views import job_view
from localcloud.databricks.state import Job, Run, now
from localcloud.databricks.workspace import Workspace

router = APIRouter()
_SCHEDULES = ("schedule", "trigger", "continuous")


class JobId(BaseModel):
    job_id: int


class Reset(BaseModel):
    job_id: int
    new_settings: JobSettings


class Update(BaseModel):
    job_id: int
    new_settings: dict[str, Any] = {}
    fields_to_remove: list[str] = []


class RunNow(Payload):
    job_id: int
    python_params: list[Text] = Field(default_factory=list)
    python_named_params: dict[str, Text] = Field(default_factory=dict)
    idempotency_token: str | None = Field(default=None, max_length=64)

    @model_validator(mode="after")
    def _supported(self) -> "RunNow":
        self.refuse(UNSUPPORTED_SETTINGS, "use python_params or python_named_params")
        return self


@router.post("/api/{version}/jobs/create")
def create(payload: JobSettings, workspace: Current) -> dict[str, int]:
    _refuse_schedule(payload)
    job = Job(settings=payload.as_json(), created_time=now())
    workspace.state.add(job)
    return {"job_id": job.job_id}


@router.post("/api/{version}/jobs/reset")
def reset(payload: Reset, workspace: Current) -> dict[str, Any]:
    _refuse_schedule(payload.new_settings)
    _find_job(workspace, payload.job_id)
    workspace.state.update(Job, payload.job_id, settings=payload.new_settings.as_json())
    return {}


@router.post("/api/{version}/jobs/update")
def update(payload: Update, workspace: Current) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in _find_job(workspace, payload.job_id).settings.items()
        if name not in payload.fields_to_remove
    }
    try:
        settings = JobSettings.model_validate(kept | payload.new_settings)
    except ValidationError as error:
        raise invalid_parameter(str(error)) from None
    return reset(Reset(job_id=payload.job_id, new_settings=settings), workspace)


@router.get("/api/{version}/jobs/get")
def get(workspace: Current, job_id: int) -> dict[str, Any]:
    return job_view(_find_job(workspace, job_id))


@router.get("/api/{version}/jobs/list")
def list_jobs(
    workspace: Current,
    limit: int = Query(default=20, ge=1, le=100),
    expand_tasks: bool = False,
    name: str | None = None,
    page_token: str = "",
) -> dict[str, Any]:
    first = int(page_token or 0)
    query = select(Job).order_by(Job.job_id.desc())
    if name is not None:
        query = query.where(func.lower(Job.settings["name"].as_string()) == name.lower())
    found = workspace.state.find(query.offset(first).limit(limit + 1))
    more = {"next_page_token": str(first + limit)} if len(found) > limit else {}
    return {"jobs": [job_view(job, expand=expand_tasks) for job in found[:limit]], "has_more": bool(more), **more}


@router.post("/api/{version}/jobs/delete")
def delete(payload: JobId, workspace: Current) -> dict[str, Any]:
    workspace.state.delete(_find_job(workspace, payload.job_id))
    return {}


@router.post("/api/{version}/jobs/run-now")
def run_now(payload: RunNow, workspace: Current) -> dict[str, int]:
    settings = JobSettings.model_validate(_find_job(workspace, payload.job_id).settings)
    run = Run(
        job_id=payload.job_id,
        run_name=settings.name,
        run_type="JOB_RUN",
        settings=settings.as_json(),
        idempotency_token=payload.idempotency_token,
        start_time=now(),
    )
    with workspace.engine.admission:
        if _is_beyond_limit(workspace, payload.job_id, settings):
            run_id = _record_skipped(workspace, run)
        else:
            run_id = start_run(workspace, run, settings, _parameters(payload))
    return {"run_id": run_id, "number_in_job": run_id}


def _parameters(payload: RunNow) -> list[str]:
    return [*payload.python_params, *(f"--{name}={value}" for name, value in payload.python_named_params.items())]


def _find_job(workspace: Workspace, job_id: int) -> Job:
    job = workspace.state.get(Job, job_id)
    if job is None:
        raise invalid_parameter(f"Job {job_id} does not exist.")
    return job


def _refuse_schedule(settings: JobSettings) -> None:
    """Airflow schedules here; a schedule that is never obeyed would be worse than none."""
    for name in _SCHEDULES:
        wanted = (settings.model_extra or {}).get(name)
        if wanted and wanted.get("pause_status") != "PAUSED":
            raise invalid_parameter(f"{name} is not obeyed by the local workspace: leave it out or pause it")


def _is_beyond_limit(workspace: Workspace, job_id: int, settings: JobSettings) -> bool:
    """Whether a further run must be skipped; a job with a queue skips none."""
    queue = (settings.model_extra or {}).get("queue") or {}
    active = len(workspace.engine.active_runs(job_id))
    return not queue.get("enabled") and active >= settings.max_concurrent_runs


def _record_skipped(workspace: Workspace, run: Run) -> int:
    run.life_cycle_state = "SKIPPED"
    run.result_state = "MAXIMUM_CONCURRENT_RUNS_REACHED"
    run.termination_code = "MAX_CONCURRENT_RUNS_EXCEEDED"
    run.state_message = "An instance of this job is already running"
    run.end_time = now()
    workspace.state.add(run)
    return run.run_id
