"""Jobs: `jobs/create`, `reset`, `update`, `get`, `list`, `delete`, `run-now`."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import func, select

from localcloud.databricks.errors import describe, invalid_parameter
from localcloud.databricks.payloads.base import Id
from localcloud.databricks.payloads.runs import JobSettings, RunNow
from localcloud.databricks.routes.common import AnId, Current, Paged, page
from localcloud.databricks.run_views import job_view
from localcloud.databricks.state import Job, now
from localcloud.databricks.workspace import Workspace

router = APIRouter()
_SCHEDULES = ("schedule", "trigger", "continuous")


class JobId(BaseModel):
    job_id: Id


class Reset(BaseModel):
    job_id: Id
    new_settings: JobSettings


class Update(BaseModel):
    job_id: Id
    new_settings: dict[str, Any] = {}
    fields_to_remove: list[str] = []


class Listing(Paged):
    """Which jobs are listed, and how much of them."""

    limit: int = Field(default=20, ge=1, le=100)
    expand_tasks: bool = False
    name: str | None = None


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
        raise invalid_parameter(describe(error.errors())) from None
    return reset(Reset(job_id=payload.job_id, new_settings=settings), workspace)


@router.get("/api/{version}/jobs/get")
def get(workspace: Current, job_id: AnId) -> dict[str, Any]:
    return job_view(_find_job(workspace, job_id))


@router.get("/api/{version}/jobs/list")
def list_jobs(workspace: Current, asked: Annotated[Listing, Query()]) -> dict[str, Any]:
    query = select(Job).order_by(Job.job_id.desc())
    if asked.name is not None:
        query = query.where(func.lower(Job.settings["name"].as_string()) == asked.name.lower())
    found = workspace.state.find(query.offset(asked.first).limit(asked.limit + 1))
    jobs, more = page(found, asked.first, asked.limit)
    return {"jobs": [job_view(job, expand=asked.expand_tasks) for job in jobs], "has_more": bool(more), **more}


@router.post("/api/{version}/jobs/delete")
def delete(payload: JobId, workspace: Current) -> dict[str, Any]:
    workspace.state.delete(_find_job(workspace, payload.job_id))
    return {}


@router.post("/api/{version}/jobs/run-now")
def run_now(payload: RunNow, workspace: Current) -> dict[str, int]:
    run_id = workspace.admission.run_now(payload).run_id
    return {"run_id": run_id, "number_in_job": run_id}


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
