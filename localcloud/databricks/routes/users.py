"""The one user: `preview/scim/v2/Me`."""

from typing import Any

from fastapi import APIRouter

from localcloud.databricks.run_views import CREATOR

router = APIRouter()


@router.get("/api/2.0/preview/scim/v2/Me")
def me() -> dict[str, Any]:
    return {"id": "1", "userName": CREATOR, "displayName": "Local user", "active": True}
