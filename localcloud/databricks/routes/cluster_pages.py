"""The pages about clusters: one's state, settings, runs and log, and Spark's own pages about it."""

import base64
from typing import Any

import httpx
import jwt
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import select

from localcloud.databricks.engine.server_spec import UI_KEY
from localcloud.databricks.output import read_output
from localcloud.databricks.rendering import render
from localcloud.databricks.routes.common import Current
from localcloud.databricks.routes.pages import LoggedIn
from localcloud.databricks.state import Cluster, Run
from localcloud.databricks.workspace import Workspace
from localcloud.ports import HOST

router = APIRouter(
    prefix="/compute/clusters/{cluster_id}", default_response_class=HTMLResponse, include_in_schema=False
)
_RUNS_SHOWN = 30
_LOG_SHOWN = 200_000
_SPARK_SECONDS = 30
# Spark's pages are made of scripts of their own; they load nothing from elsewhere, and nobody frames them.
_SPARK_POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data:; frame-ancestors 'none'"
_PASSED_ON = ("content-type", "content-disposition")


@router.get("", dependencies=[LoggedIn])
def cluster(cluster_id: str, workspace: Current) -> Response:
    """A cluster that is gone for good is told of on the first page, like all others."""
    found = workspace.state.get(Cluster, cluster_id)
    if found is None:
        return RedirectResponse("/", status_code=303)
    found = workspace.clusters.get(cluster_id)
    newest = select(Run).where(Run.cluster_id == cluster_id).order_by(Run.run_id.desc()).limit(_RUNS_SHOWN)
    return render(
        "cluster.html",
        cluster=found,
        name=found.spec.get("cluster_name") or cluster_id,
        settings=_settings(found.spec),
        runs=workspace.state.find(newest),
        log=read_output(workspace.cluster_log(found), workspace.secrets, _LOG_SHOWN).text,
        refresh=found.state in {"PENDING", "RESTARTING", "TERMINATING"},
    )


def _settings(spec: dict[str, Any]) -> dict[str, Any]:
    """What the cluster was asked to be, one line for each; secrets are still the references that were given."""
    whole = {name: value for name, value in spec.items() if not isinstance(value, dict)}
    parts = ((name, value) for name, value in spec.items() if isinstance(value, dict))
    return whole | {f"{name}.{key}": value for name, part in parts for key, value in part.items()}


@router.get("/spark", dependencies=[LoggedIn])
@router.get("/spark/{path:path}", dependencies=[LoggedIn])
def spark_page(cluster_id: str, request: Request, workspace: Current, path: str = "") -> Response:
    """Spark's own page, asked for with the signature without which Spark answers nobody."""
    server = workspace.clusters.running_server(cluster_id)
    if server is None:
        raise HTTPException(404, f"a running cluster is required, and {cluster_id} does not run")
    here = f"/compute/clusters/{cluster_id}/spark"
    signature = jwt.encode({"sub": "workspace"}, _key(workspace), algorithm="HS256")
    headers = {"Authorization": f"Bearer {signature}", "X-Forwarded-Context": here}
    its_own = f"http://{HOST}:{server.ui_port}"
    asked = httpx.URL(its_own, path=f"/{path or 'jobs/'}", query=request.url.query.encode())
    try:
        answer = httpx.get(asked, headers=headers, timeout=_SPARK_SECONDS)
    except httpx.TransportError as error:
        raise HTTPException(
            502,
            f"Spark's page of {cluster_id} gave no answer ({type(error).__name__}): see the cluster's state and log",
        ) from error
    passed_on = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
    if "location" in answer.headers:
        passed_on["location"] = here + answer.headers["location"].removeprefix(its_own).removeprefix(here)
    passed_on |= {"content-security-policy": _SPARK_POLICY, "referrer-policy": "same-origin"}
    is_text = passed_on.get("content-type", "").startswith(("text/html", "application/json"))
    content = workspace.secrets.redact(answer.text) if is_text else answer.content
    return Response(content, answer.status_code, passed_on)


def _key(workspace: Workspace) -> bytes:
    return base64.urlsafe_b64decode(workspace.home.secret(UI_KEY) + "=")
