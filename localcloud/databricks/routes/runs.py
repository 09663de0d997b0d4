"""Runs: `jobs/runs/*`."""

import shutil
from typing import Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from localcloud.databricks.engine.runs import task_row
from localcloud.databricks.errors import ApiError, invalid_parameter, invalid_state
from localcloud.databricks.output import read_output
from localcloud.databricks.payloads import RunSettings, SubmitRun
from localcloud.databricks.routes.common import Current
from localcloud.databricks.run_views import run_view, task_view
from localcloud.databricks.state import TERMINAL, Run, now
from localcloud.databricks.workspace import Workspace

router = APIRouter()
_TASKS_PER_PAGE = 100


class RunId(BaseModel):
    run_id: int


class CancelAll(BaseModel):
    job_id: int | None = None
    all_queued_runs: bool = False


@router.post("/api/{version}/jobs/runs/submit")
def submit(payload: SubmitRun, workspace: Current) -> dict[str, int]:
    run = Run(
        run_name=payload.run_name,
        run_type="SUBMIT_RUN",
        settings=payload.as_json(),
        idempotency_token=payload.idempotency_token,
        start_time=now(),
    )
    return {"run_id": start_run(workspace, run, payload, [])}


def start_run(workspace: Workspace, run: Run, settings: RunSettings, parameters: list[str]) -> int:
    """Records a run and its tasks and starts it; one with a known idempotency token is the run of before."""
    try:
        with workspace.state.transaction() as session:
            session.add(run)
            session.flush()
            session.add_all(task_row(run, task) for task in settings.tasks)
    except IntegrityError:
        same = select(Run).where(Run.idempotency_token == run.idempotency_token)
        return workspace.state.find(same)[0].run_id
    workspace.engine.start(run, parameters)
    return run.run_id


@router.get("/api/{version}/jobs/runs/get")
def get(workspace: Current, run_id: int, page_token: str = "") -> dict[str, Any]:
    run = find_run(workspace, run_id)
    if run.parent_run_id is not None:
        return {**task_view(workspace.url, run), "job_id": run.job_id or run.parent_run_id, "run_name": run.run_name}
    first = int(page_token or 0)
    tasks = find_tasks(workspace, run_id)
    page = tasks[first : first + _TASKS_PER_PAGE]
    more = {"next_page_token": str(first + _TASKS_PER_PAGE)} if tasks[first + _TASKS_PER_PAGE :] else {}
    return {**run_view(workspace.url, run, page), **more}


@router.get("/api/{version}/jobs/runs/get-output")
def get_output(workspace: Current, run_id: int) -> dict[str, Any]:
    asked = find_run(workspace, run_id)
    task = asked if asked.parent_run_id is not None else _only_task(workspace, run_id)
    stdout = read_output(workspace.run_folder(task.run_id) / "stdout", workspace.secrets)
    failure = {"error": task.error, "error_trace": task.error_trace or ""} if task.error is not None else {}
    return {
        "metadata": run_view(workspace.url, asked, [])
        if asked.parent_run_id is None
        else task_view(workspace.url, task),
        "logs": stdout.text,
        "logs_truncated": stdout.is_truncated,
        **{name: workspace.secrets.redact(text) for name, text in failure.items()},
    }


@router.get("/api/{version}/jobs/runs/list")
def list_runs(
    workspace: Current,
    *,
    job_id: int | None = None,
    active_only: bool = False,
    completed_only: bool = False,
    expand_tasks: bool = False,
    limit: int = Query(default=20, ge=1, le=100),
    page_token: str = "",
    run_type: str | None = None,
) -> dict[str, Any]:
    first = int(page_token or 0)
    query = select(Run).where(Run.parent_run_id.is_(None)).order_by(Run.run_id.desc())
    if job_id is not None:
        query = query.where(Run.job_id == job_id)
    if run_type is not None:
        query = query.where(Run.run_type == run_type)
    if active_only or completed_only:
        ended = Run.life_cycle_state.in_(TERMINAL)
        query = query.where(ended if completed_only else ~ended)
    found = workspace.state.find(query.offset(first).limit(limit + 1))
    more = {"next_page_token": str(first + limit)} if len(found) > limit else {}
    return {
        "runs": [
            run_view(workspace.url, run, find_tasks(workspace, run.run_id) if expand_tasks else [])
            for run in found[:limit]
        ],
        "has_more": bool(more),
        **more,
    }


@router.post("/api/{version}/jobs/runs/cancel")
def cancel(payload: RunId, workspace: Current) -> dict[str, Any]:
    run = find_run(workspace, payload.run_id)
    workspace.engine.cancel(run.parent_run_id or run.run_id)
    return {}


@router.post("/api/{version}/jobs/runs/cancel-all")
def cancel_all(payload: CancelAll, workspace: Current) -> dict[str, Any]:
    query = select(Run).where(Run.parent_run_id.is_(None), Run.life_cycle_state.not_in(TERMINAL))
    if payload.job_id is not None:
        query = query.where(Run.job_id == payload.job_id)
    for run in workspace.state.find(query):
        workspace.engine.cancel(run.run_id)
    return {}


@router.post("/api/{version}/jobs/runs/delete")
def delete(payload: RunId, workspace: Current) -> dict[str, Any]:
    run = find_run(workspace, payload.run_id)
    if not run.is_terminal:
        raise invalid_state(f"Run {run.run_id} is still active: cancel it first")
    rows = [*find_tasks(workspace, run.run_id), run]
    workspace.state.delete(*rows)
    for row in rows:
        shutil.rmtree(workspace.run_folder(row.run_id), ignore_errors=True)
    return {}


def find_run(workspace: Workspace, run_id: int) -> Run:
    run = workspace.state.get(Run, run_id)
    if run is None:
        raise invalid_parameter(f"Run {run_id} does not exist.")
    return run


def find_tasks(workspace: Workspace, run_id: int) -> list[Run]:
    return workspace.state.find(select(Run).where(Run.parent_run_id == run_id).order_by(Run.run_id))


def _only_task(workspace: Workspace, run_id: int) -> Run:
    """The last attempt of a run's one task."""
    attempts = find_tasks(workspace, run_id)
    if len({attempt.task_key for attempt in attempts}) > 1:
        raise ApiError(
            400,
            "INVALID_PARAMETER_VALUE",
            "Retrieving the output of runs with multiple tasks is not supported. "
            "Please retrieve the output of each individual task run instead.",
        )
    return attempts[-1]
