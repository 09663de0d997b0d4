"""Secret scopes and secrets: `secrets/*`. Access lists are not kept: one user, one token."""

import base64
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from localcloud.databricks.errors import invalid_parameter
from localcloud.databricks.routes.common import Current

router = APIRouter(prefix="/api/2.0/secrets")


class Scope(BaseModel):
    scope: str


class Key(Scope):
    key: str


class Put(Key):
    string_value: str | None = None
    bytes_value: str | None = None

    def value(self) -> str:
        if (self.string_value is None) == (self.bytes_value is None):
            raise invalid_parameter("exactly one of string_value and bytes_value is required")
        return self.string_value if self.string_value is not None else _decoded(self.bytes_value or "")


@router.post("/scopes/create")
def create_scope(payload: Scope, workspace: Current) -> dict[str, Any]:
    workspace.secrets.create_scope(payload.scope)
    return {}


@router.post("/scopes/delete")
def delete_scope(payload: Scope, workspace: Current) -> dict[str, Any]:
    workspace.secrets.delete_scope(payload.scope)
    return {}


@router.get("/scopes/list")
def list_scopes(workspace: Current) -> dict[str, Any]:
    return {"scopes": [{"name": scope, "backend_type": "DATABRICKS"} for scope in workspace.secrets.scopes()]}


@router.post("/put")
def put(payload: Put, workspace: Current) -> dict[str, Any]:
    workspace.secrets.put(payload.scope, payload.key, payload.value())
    return {}


@router.get("/get")
def get(scope: str, key: str, workspace: Current) -> dict[str, Any]:
    value = workspace.secrets.get(scope, key)
    return {"key": key, "value": base64.b64encode(value.encode()).decode()}


@router.get("/list")
def list_secrets(scope: str, workspace: Current) -> dict[str, Any]:
    keys = workspace.secrets.keys(scope)
    return {"secrets": [{"key": key, "last_updated_timestamp": when} for key, when in keys.items()]}


@router.post("/delete")
def delete(payload: Key, workspace: Current) -> dict[str, Any]:
    workspace.secrets.delete(payload.scope, payload.key)
    return {}


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        raise invalid_parameter("bytes_value must be UTF-8 text in base64") from None
