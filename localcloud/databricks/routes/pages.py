"""The pages: what ran, how it went and what it wrote."""

import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import select

from localcloud.databricks.output import read_output
from localcloud.databricks.routes.common import Current
from localcloud.databricks.routes.runs import find_run, find_tasks, whole_run
from localcloud.databricks.state import Run, now
from localcloud.databricks.workspace import Workspace

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)
_RUNS_SHOWN = 200
_OUTPUT_SHOWN = 200_000
_POLICY = "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"


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
    return _page("login.html", status=401, target=request.url.path, failed=False)


@router.post("/login")
def log_in(workspace: Current, token: Annotated[str, Form()], target: Annotated[str, Form()] = "/") -> Response:
    if not hmac.compare_digest(token.strip().encode(), workspace.home.secret("databricks-token").encode()):
        return _page("login.html", status=401, target=target, failed=True)
    answer = RedirectResponse(_own_path(target), status_code=303)
    answer.set_cookie(_cookie_name(workspace), _cookie_value(workspace), httponly=True, samesite="strict")
    return answer


@router.get("/", dependencies=[LoggedIn])
def runs(workspace: Current) -> Response:
    query = select(Run).where(Run.parent_run_id.is_(None)).order_by(Run.run_id.desc()).limit(_RUNS_SHOWN)
    found = workspace.state.find(query)
    active = any(not run.is_terminal for run in found)
    return _page("runs.html", runs=found, clusters=workspace.clusters.all(), refresh=active)


@router.get("/compute/clusters/{cluster_id}", dependencies=[LoggedIn])
def cluster(cluster_id: str) -> Response:
    """Where Databricks has a cluster's page; here all are on the first one."""
    del cluster_id
    return RedirectResponse("/", status_code=303)


@router.get("/runs/{run_id}", dependencies=[LoggedIn])
def run(run_id: PathId, workspace: Current) -> Response:
    asked = find_run(workspace, run_id)
    whole = whole_run(workspace, asked)
    below = find_tasks(workspace, asked.run_id)
    tasks = below if whole is asked else [asked, *below]
    outputs = {task.run_id: _outputs(workspace, task) for task in tasks}
    return _page("run.html", run=whole, tasks=tasks, outputs=outputs, refresh=not whole.is_terminal)


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
    if not target.startswith("/runs/") or not target.removeprefix("/runs/").isdigit():
        return "/"
    return target


def _page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    html = _templates.get_template(template).render({"refresh": False} | values)
    # Other sites learn nothing of where the reader was. With "no-referrer" a browser would hide the origin from this
    # server too, which then takes its own form for a foreign one.
    headers = {"content-security-policy": _POLICY, "cache-control": "no-store", "referrer-policy": "same-origin"}
    return HTMLResponse(html, status_code=status, headers=headers)


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") if milliseconds else ""


def _duration(run: Run) -> str:
    seconds = ((run.end_time or now()) - run.start_time) / 1000
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f} min {rest:.0f} s" if minutes else f"{rest:.1f} s"


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "pages"), autoescape=True, undefined=StrictUndefined
)
_templates.filters |= {"moment": _moment, "duration": _duration}
