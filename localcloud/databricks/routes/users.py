"""Who is asking, and whom they ask: `preview/scim/v2/Me` and what databricks-sdk looks up first."""

from typing import Any

from fastapi import APIRouter, Response

from localcloud.databricks.routes.common import Current
from localcloud.databricks.run_views import CREATOR

router = APIRouter()
discovery = APIRouter()
_WORKSPACE_ID = "1"


@router.get("/api/2.0/preview/scim/v2/Me")
def me(response: Response) -> dict[str, Any]:
    """Earlier versions of databricks-sdk take the workspace's id from this answer's header."""
    response.headers["X-Databricks-Org-Id"] = _WORKSPACE_ID
    return {"id": "1", "userName": CREATOR, "displayName": "Local user", "active": True}


@discovery.get("/.well-known/databricks-config")
def host_metadata(workspace: Current) -> dict[str, str]:
    """Asked before anything else, without a token."""
    return {"oidc_endpoint": f"{workspace.url}/oidc", "workspace_id": _WORKSPACE_ID}
