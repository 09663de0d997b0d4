"""The web application: who may come in, and which file answers what."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from starlette.concurrency import run_in_threadpool

from localcloud.databricks.errors import ApiError, install_error_handlers, not_implemented
from localcloud.databricks.faults import FailsOnDemand
from localcloud.databricks.get_bodies import GetBodies
from localcloud.databricks.routes import (
    cluster_pages,
    clusters,
    dbfs,
    files,
    jobs,
    libraries,
    local,
    pages,
    runs,
    secrets,
    statements,
    thrift,
    users,
    workspace_files,
)
from localcloud.databricks.strict_bodies import StrictBodies
from localcloud.databricks.workspace import Workspace

_ROUTES = (jobs, runs, clusters, libraries, secrets, dbfs, files, workspace_files, users, statements, thrift, local)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def create_app(workspace: Workspace) -> FastAPI:
    """The REST API and the pages of one workspace."""
    app = FastAPI(title="Local Databricks workspace", openapi_url=None, lifespan=_lifespan)
    app.state.workspace = workspace
    install_error_handlers(app)
    app.add_middleware(FailsOnDemand, faults=workspace.faults)
    app.add_middleware(GetBodies)
    app.add_middleware(StrictBodies)
    app.add_api_route("/healthz", _healthz)
    for routes in _ROUTES:
        app.include_router(routes.router, dependencies=[Depends(require_token)])
    app.include_router(pages.router)
    app.include_router(cluster_pages.router)
    app.add_exception_handler(pages.LoginRequiredError, pages.ask_to_log_in)
    app.include_router(users.discovery)
    app.add_api_route("/api/{path:path}", _unknown, methods=_METHODS, dependencies=[Depends(require_token)])
    return app


def require_token(request: Request) -> None:
    """Lets in only who sends the workspace's token."""
    workspace: Workspace = request.app.state.workspace
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    is_token = hmac.compare_digest(given.encode(), workspace.home.secret("databricks-token").encode())
    if scheme.lower() != "bearer" or not is_token:
        raise ApiError(401, "UNAUTHENTICATED", "a valid token is required: send Authorization: Bearer <token>")


def _healthz() -> dict[str, str]:
    return {"status": "ok"}


def _unknown(request: Request) -> None:
    raise not_implemented(request.method, request.url.path)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    workspace: Workspace = app.state.workspace
    await run_in_threadpool(workspace.open)
    yield
    await run_in_threadpool(workspace.close)
