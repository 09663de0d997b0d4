"""Who is asking, and whom they ask: `preview/scim/v2/Me` and what databricks-sdk looks up first."""

from typing import Any

from fastapi import APIRouter

from localcloud.databricks.routes.common import Current
from localcloud.databricks.run_views import CREATOR

router = APIRouter()
discovery = APIRouter()


@router.get("/api/2.0/preview/scim/v2/Me")
def me() -> dict[str, Any]:
    return {"id": "1", "userName": CREATOR, "displayName": "Local user", "active": True}


@discovery.get("/.well-known/databricks-config")
def host_metadata(workspace: Current) -> dict[str, str]:
    """Asked before anything else, without a token."""
    return {"oidc_endpoint": f"{workspace.url}/oidc", "workspace_id": "1"}
