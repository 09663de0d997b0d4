"""The pages: what ran, how it went and what it wrote."""

import hashlib
import hmac
import re
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import select

from localcloud.databricks.graph import draw
from localcloud.databricks.output import read_output
from localcloud.databricks.rendering import render
from localcloud.databricks.routes.common import Current
from localcloud.databricks.routes.runs import find_run, find_tasks, whole_run
from localcloud.databricks.state import Run
from localcloud.databricks.workspace import Workspace

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)
_RUNS_SHOWN = 200
_OUTPUT_SHOWN = 200_000
_PAGE = re.compile(r"/(runs/\d+|compute/clusters/[\w-]+(/spark/[\w/-]*)?)", re.ASCII)


class LoginRequiredError(Exception):
    """Raised when a page is asked for without the cookie that logging in gives."""


def require_login(request: Request) -> None:
    workspace: Workspace = request.app.state.workspace
    given = request.cookies.get(_cookie_name(workspace), "")
    if not hmac.compare_digest(given.encode(), _cookie_value(workspace).encode()):
        raise LoginRequiredError


LoggedIn = Depends(require_login)
PathId = Annotated[int, PathParameter(ge=0, lt=2**63)]


def ask_to_log_in(request: Request, _: Exception) -> Response:
    """The form, in place of the page; it leads back to where the reader wanted to go."""
    return render("login.html", status=401, target=request.url.path, failed=False)


@router.post("/login")
def log_in(workspace: Current, token: Annotated[str, Form()], target: Annotated[str, Form()] = "/") -> Response:
    if not hmac.compare_digest(token.strip().encode(), workspace.home.secret("databricks-token").encode()):
        return render("login.html", status=401, target=target, failed=True)
    answer = RedirectResponse(_own_path(target), status_code=303)
    answer.set_cookie(_cookie_name(workspace), _cookie_value(workspace), httponly=True, samesite="strict")
    return answer


@router.get("/", dependencies=[LoggedIn])
def runs(workspace: Current) -> Response:
    query = select(Run).where(Run.parent_run_id.is_(None)).order_by(Run.run_id.desc()).limit(_RUNS_SHOWN)
    found = workspace.state.find(query)
    active = any(not run.is_terminal for run in found)
    return render("runs.html", runs=found, clusters=workspace.clusters.all(), refresh=active)


@router.get("/runs/{run_id}", dependencies=[LoggedIn])
def run(run_id: PathId, workspace: Current) -> Response:
    asked = find_run(workspace, run_id)
    whole = whole_run(workspace, asked)
    below = find_tasks(workspace, asked.run_id)
    tasks = below if whole is asked else [asked, *below]
    outputs = {task.run_id: _outputs(workspace, task) for task in tasks}
    graph = draw(tasks) if whole is asked else None
    return render("run.html", run=whole, tasks=tasks, outputs=outputs, graph=graph, refresh=not whole.is_terminal)


def _outputs(workspace: Workspace, task: Run) -> dict[str, str]:
    folder = workspace.run_folder(task.run_id)
    streams = {name: read_output(folder / name, workspace.secrets, _OUTPUT_SHOWN).text for name in ("stdout", "stderr")}
    return {**streams, "error": workspace.secrets.redact(task.error_trace or task.error or "")}


def _cookie_name(workspace: Workspace) -> str:
    """Cookies know no ports: two homes side by side need two names."""
    return f"localcloud-{workspace.home.port('workspace')}"


def _cookie_value(workspace: Workspace) -> str:
    """Proves that its bearer had the token, without being it."""
    return hmac.new(workspace.home.secret("databricks-token").encode(), b"pages", hashlib.sha256).hexdigest()


def _own_path(target: str) -> str:
    """Where to go after logging in: a page here, whatever the form said."""
    return target if _PAGE.fullmatch(target) else "/"
