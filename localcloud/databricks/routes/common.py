"""What the route files share."""

from typing import Annotated

from fastapi import Depends, Request

from localcloud.databricks.workspace import Workspace


def _workspace(request: Request) -> Workspace:
    workspace: Workspace = request.app.state.workspace
    return workspace


Current = Annotated[Workspace, Depends(_workspace)]


def versions(*names: str) -> tuple[str, ...]:
    """The prefixes under which an API group answers: clients of different age call different versions."""
    return tuple(f"/api/{name}" for name in names)
