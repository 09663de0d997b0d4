"""Runs: `jobs/runs/*`."""

import shutil
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, model_validator
from sqlalchemy import Select, select

from localcloud.databricks.engine.repairs import Repairs
from localcloud.databricks.errors import ApiError, invalid_parameter, invalid_state
from localcloud.databricks.output import read_output
from localcloud.databricks.payloads.base import Id
from localcloud.databricks.payloads.runs import Repair, SubmitRun
from localcloud.databricks.routes.common import AnId, Current, Paged, PageToken, page
from localcloud.databricks.run_views import history_view, output_view, run_view, task_view
from localcloud.databricks.state import TERMINAL, Run
from localcloud.databricks.workspace import Workspace

router = APIRouter()
_TASKS_PER_PAGE = 100
_MOST_RUNS = 25


class RunId(BaseModel):
    run_id: Id


class CancelAll(BaseModel):
    job_id: Id | None = None
    all_queued_runs: bool = False


@router.post("/api/{version}/jobs/runs/submit")
def submit(payload: SubmitRun, workspace: Current) -> dict[str, int]:
    return {"run_id": workspace.admission.submit(payload).run_id}


@router.post("/api/{version}/jobs/runs/repair")
def repair(payload: Repair, workspace: Current) -> dict[str, int]:
    run = find_run(workspace, payload.run_id)
    if run.parent_run_id is not None:
        raise invalid_parameter(f"Run {run.run_id} is the run of a task: repair the run that it belongs to")
    return {"repair_id": workspace.admission.repair(run, payload)}


@router.get("/api/{version}/jobs/runs/get")
def get(workspace: Current, run_id: AnId, page_token: PageToken = 0, include_history: bool = False) -> dict[str, Any]:
    run = find_run(workspace, run_id)
    rows = find_tasks(workspace, run_id)
    shown, more = page(rows[page_token:], page_token, _TASKS_PER_PAGE)
    if run.parent_run_id is not None:
        return {**_task_run(workspace, run, shown), **more}
    history = {"repair_history": history_view(Repairs(workspace.state, run).history(), rows)} if include_history else {}
    return {**run_view(workspace.url, run, shown), **history, **more}


def _task_run(workspace: Workspace, row: Run, iterations: Sequence[Run]) -> dict[str, Any]:
    """A task's run, asked for by its own id; that of a for_each_task has its iterations."""
    view = task_view(workspace.url, row)
    more = {"iterations": [task_view(workspace.url, each) for each in iterations]} if iterations else {}
    return {**view, "tasks": [view], "job_id": row.job_id or row.parent_run_id, "run_name": row.run_name, **more}


@router.get("/api/{version}/jobs/runs/get-output")
def get_output(workspace: Current, run_id: AnId) -> dict[str, Any]:
    asked = find_run(workspace, run_id)
    task = asked if asked.parent_run_id is not None else _only_task(workspace, run_id)
    stdout = read_output(workspace.run_folder(task.run_id) / "stdout", workspace.secrets)
    result = read_output(workspace.run_folder(task.run_id) / "notebook_result", workspace.secrets)
    failure = {"error": task.error, "error_trace": task.error_trace or ""} if task.error is not None else {}
    return {
        "metadata": run_view(workspace.url, asked, [])
        if asked.parent_run_id is None
        else task_view(workspace.url, task),
        "logs": stdout.text,
        "logs_truncated": stdout.is_truncated,
        **output_view(task, result),
        **{name: workspace.secrets.redact(text) for name, text in failure.items()},
    }


class Filter(BaseModel):
    """Which runs are listed; times in milliseconds, both included."""

    job_id: Id | None = None
    run_type: str | None = None
    active_only: bool = False
    completed_only: bool = False
    start_time_from: Id | None = None
    start_time_to: Id | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "Filter":
        if self.active_only and self.completed_only:
            raise ValueError("active_only and completed_only can't both be true")
        return self

    def query(self) -> Select[Run]:
        """The runs, the newest first."""
        query = select(Run).where(Run.parent_run_id.is_(None)).order_by(Run.run_id.desc())
        if self.job_id is not None:
            query = query.where(Run.job_id == self.job_id)
        if self.run_type is not None:
            query = query.where(Run.run_type == self.run_type)
        if self.active_only or self.completed_only:
            ended = Run.life_cycle_state.in_(TERMINAL)
            query = query.where(ended if self.completed_only else ~ended)
        if self.start_time_from is not None:
            query = query.where(Run.start_time >= self.start_time_from)
        return query if self.start_time_to is None else query.where(Run.start_time <= self.start_time_to)


class Listing(Filter, Paged):
    """What is listed, and how much of it."""

    expand_tasks: bool = False
    limit: int = Field(default=20, ge=0, le=_MOST_RUNS)


@router.get("/api/{version}/jobs/runs/list")
def list_runs(workspace: Current, asked: Annotated[Listing, Query()]) -> dict[str, Any]:
    size = asked.limit or _MOST_RUNS
    found = workspace.state.find(asked.query().offset(asked.first).limit(size + 1))
    runs, more = page(found, asked.first, size)
    return {
        "runs": [
            run_view(workspace.url, run, find_tasks(workspace, run.run_id) if asked.expand_tasks else [])
            for run in runs
        ],
        "has_more": bool(more),
        **more,
    }


@router.post("/api/{version}/jobs/runs/cancel")
def cancel(payload: RunId, workspace: Current) -> dict[str, Any]:
    run = find_run(workspace, payload.run_id)
    workspace.engine.cancel(run)
    return {}


@router.post("/api/{version}/jobs/runs/cancel-all")
def cancel_all(payload: CancelAll, workspace: Current) -> dict[str, Any]:
    query = select(Run).where(Run.parent_run_id.is_(None), Run.life_cycle_state.not_in(TERMINAL))
    if payload.job_id is not None:
        query = query.where(Run.job_id == payload.job_id)
    for run in workspace.state.find(query):
        workspace.engine.cancel(run)
    return {}


@router.post("/api/{version}/jobs/runs/delete")
def delete(payload: RunId, workspace: Current) -> dict[str, Any]:
    run = find_run(workspace, payload.run_id)
    if not run.is_terminal:
        raise invalid_state(f"Run {run.run_id} is still active: cancel it first")
    tasks = find_tasks(workspace, run.run_id)
    iterations = [each for task in tasks for each in find_tasks(workspace, task.run_id)]
    rows = [*iterations, *tasks, run]
    workspace.state.delete(*rows)
    for row in rows:
        shutil.rmtree(workspace.run_folder(row.run_id), ignore_errors=True)
    return {}


def find_run(workspace: Workspace, run_id: int) -> Run:
    run = workspace.state.get(Run, run_id)
    if run is None:
        raise invalid_parameter(f"Run {run_id} does not exist.")
    return run


def whole_run(workspace: Workspace, row: Run) -> Run:
    """The run that a task's attempt, or its iteration, belongs to."""
    return row if row.parent_run_id is None else whole_run(workspace, find_run(workspace, row.parent_run_id))


def find_tasks(workspace: Workspace, run_id: int) -> list[Run]:
    """The attempts at a run's tasks; of a for_each_task's run, those at its iterations."""
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
