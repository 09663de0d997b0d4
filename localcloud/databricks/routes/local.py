"""What the local cloud asks of its own workspace, and Databricks has no route for."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from localcloud.databricks.engine.cluster_faults import ClusterFault, Kind
from localcloud.databricks.errors import invalid_parameter
from localcloud.databricks.faults import Fault
from localcloud.databricks.routes.common import Current
from localcloud.storage_faults import (
    FaultsToCome,
    StorageFault,
    add_storage_faults,
    clear_storage_faults,
    storage_faults_to_come,
)

router = APIRouter(prefix="/api/localcloud")


class WantedFault(BaseModel):
    route: str = Field(min_length=1, max_length=200)
    status: int = Field(default=503, ge=400, le=599)
    times: int = Field(default=1, ge=1, le=1000)
    works: bool = False


@router.post("/faults")
def add_fault(payload: WantedFault, workspace: Current) -> dict[str, Any]:
    """Has a route fail the next times that it is asked."""
    fault = Fault(payload.route, payload.status, payload.times, payload.works)
    if fault.concerns("/api/localcloud/faults"):
        raise invalid_parameter("this route has to work, or no fault could be taken back")
    workspace.faults.add(fault)
    return {}


class WantedClusterFault(BaseModel):
    kind: Kind
    times: int = Field(default=1, ge=1, le=1000)
    seconds: float = Field(default=60, gt=0, le=3600)


@router.post("/cluster-faults")
def add_cluster_fault(payload: WantedClusterFault, workspace: Current) -> dict[str, Any]:
    """Has the next starts of clusters meet it, whichever they are."""
    workspace.cluster_faults.add(ClusterFault(payload.kind, payload.times, payload.seconds))
    return {}


class WantedStorageFault(BaseModel):
    kind: StorageFault
    times: int = Field(default=1, ge=1, le=1000)
    seconds: float = Field(default=10, gt=0, le=3600)


@router.post("/storage-faults")
def add_storage_fault(payload: WantedStorageFault, workspace: Current) -> dict[str, Any]:
    """Has the next requests of the storage meet it, whoever makes them."""
    add_storage_faults(workspace.home, FaultsToCome(payload.kind, payload.times, payload.seconds))
    return {}


@router.post("/kill-clusters")
def kill_clusters(workspace: Current) -> dict[str, Any]:
    return {"clusters": workspace.clusters.kill()}


@router.get("/faults")
def list_faults(workspace: Current) -> dict[str, Any]:
    """Those still to come."""
    return {
        "faults": [vars(fault) for fault in workspace.faults.to_come()],
        "cluster_faults": [vars(fault) for fault in workspace.cluster_faults.to_come()],
        "storage_faults": storage_faults_to_come(workspace.home),
    }


@router.delete("/faults")
def clear_faults(workspace: Current) -> dict[str, Any]:
    workspace.faults.clear()
    workspace.cluster_faults.clear()
    clear_storage_faults(workspace.home)
    return {}


@router.post("/spark-connect")
def spark_connect(workspace: Current) -> dict[str, str]:
    """Where to ask Spark: on the cluster used last, started if need be."""
    server = workspace.clusters.start(workspace.usual_cluster.find())
    return {"remote": server.remote_anonymous()}


@router.post("/warm-up")
def warm_up(workspace: Current) -> dict[str, str | None]:
    """Starts, in the background, the cluster that was used last; where there has been none, nothing."""
    cluster_id = workspace.usual_cluster.last()
    if cluster_id is not None:
        workspace.clusters.start_in_background(cluster_id)
    return {"cluster_id": cluster_id}


@router.post("/storage-crash")
def storage_crash(workspace: Current) -> dict[str, Any]:
    """Ends every cluster, since what they know of the lake may not be so any more."""
    workspace.clusters.abandon(
        "The storage crashed, and the lake may be back at a moment some seconds earlier: run again what was running"
    )
    return {}
