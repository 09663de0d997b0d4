"""Libraries of clusters: `libraries/*`."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from localcloud.databricks.payloads.clusters import Library
from localcloud.databricks.routes.common import Current
from localcloud.databricks.state import Cluster

router = APIRouter(prefix="/api/2.0/libraries")


class Change(BaseModel):
    cluster_id: str
    libraries: list[Library]

    def as_dicts(self) -> list[dict[str, Any]]:
        return [library.as_json() for library in self.libraries]


@router.post("/install")
def install(payload: Change, workspace: Current) -> dict[str, Any]:
    workspace.cluster_libraries.add(payload.cluster_id, payload.as_dicts())
    return {}


@router.post("/uninstall")
def uninstall(payload: Change, workspace: Current) -> dict[str, Any]:
    workspace.cluster_libraries.remove(payload.cluster_id, payload.as_dicts())
    return {}


@router.get("/cluster-status")
def cluster_status(cluster_id: str, workspace: Current) -> dict[str, Any]:
    return _statuses(workspace.clusters.get(cluster_id))


@router.get("/all-cluster-statuses")
def all_cluster_statuses(workspace: Current) -> dict[str, Any]:
    return {"statuses": [_statuses(cluster) for cluster in workspace.clusters.all()]}


def _statuses(cluster: Cluster) -> dict[str, Any]:
    status = "INSTALLED" if cluster.state == "RUNNING" else "PENDING"
    return {
        "cluster_id": cluster.cluster_id,
        "library_statuses": [
            {"library": library, "status": status, "is_library_for_all_clusters": False}
            for library in cluster.libraries
        ],
    }
