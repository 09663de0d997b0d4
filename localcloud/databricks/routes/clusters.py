"""Clusters: `clusters/*`."""

import os
from typing import Annotated, Any

import psutil
from fastapi import APIRouter, Query
from pydantic import BaseModel

from localcloud.databricks.payloads.clusters import ClusterSpec
from localcloud.databricks.routes.common import Current
from localcloud.databricks.run_views import CREATOR
from localcloud.databricks.state import Cluster

router = APIRouter(prefix="/api/{version}/clusters")

# A request for any of these gets this machine's Spark; the names are those that a payload made for Azure carries.
# Clients that choose a runtime by themselves look for Scala 2.12 unless told otherwise.
_SPARK_VERSIONS = {
    "18.0.x-scala2.13": "18.0 (includes Apache Spark 4.0.0, Scala 2.13)",
    "17.3.x-scala2.13": "17.3 LTS (includes Apache Spark 4.0.0, Scala 2.13)",
    "16.4.x-scala2.12": "16.4 LTS (includes Apache Spark 3.5.2, Scala 2.12)",
}
_NODE_TYPES = ("Standard_DS3_v2", "Standard_D4ds_v5")


class ClusterId(BaseModel):
    cluster_id: str


@router.post("/create")
def create(payload: ClusterSpec, workspace: Current) -> dict[str, str]:
    cluster_id = workspace.clusters.create(payload)
    workspace.clusters.start_in_background(cluster_id)
    return {"cluster_id": cluster_id}


@router.get("/get")
def get(cluster_id: str, workspace: Current) -> dict[str, Any]:
    return cluster_view(workspace.clusters.get(cluster_id))


@router.get("/list")
def list_clusters(
    workspace: Current,
    sources: Annotated[list[str], Query(alias="filter_by.cluster_sources")] = [],  # noqa: B006 - FastAPI copies it
    states: Annotated[list[str], Query(alias="filter_by.cluster_states")] = [],  # noqa: B006
) -> dict[str, Any]:
    found = [
        cluster_view(cluster)
        for cluster in workspace.clusters.all()
        if (not sources or cluster.source in sources) and (not states or cluster.state in states)
    ]
    return {"clusters": found}


@router.post("/start")
def start(payload: ClusterId, workspace: Current) -> dict[str, Any]:
    workspace.clusters.start_in_background(payload.cluster_id)
    return {}


@router.post("/restart")
def restart(payload: ClusterId, workspace: Current) -> dict[str, Any]:
    workspace.clusters.restart_in_background(payload.cluster_id)
    return {}


@router.post("/delete")
def terminate(payload: ClusterId, workspace: Current) -> dict[str, Any]:
    """Terminates the cluster; its definition stays."""
    workspace.clusters.get(payload.cluster_id)
    workspace.clusters.stop(payload.cluster_id)
    return {}


@router.post("/permanent-delete")
def permanently_delete(payload: ClusterId, workspace: Current) -> dict[str, Any]:
    workspace.clusters.delete(payload.cluster_id)
    return {}


@router.get("/spark-versions")
def spark_versions() -> dict[str, Any]:
    return {"versions": [{"key": key, "name": name} for key, name in _SPARK_VERSIONS.items()]}


@router.get("/list-node-types")
def node_types() -> dict[str, Any]:
    """This machine, under each name, with what clients ask of a type before they choose it."""
    machine = {
        "memory_mb": psutil.virtual_memory().total // 1024**2,
        "num_cores": float(os.cpu_count() or 1),
        "num_gpus": 0,
        "description": "this machine",
        "category": "General Purpose",
        "is_deprecated": False,
        "is_hidden": False,
    }
    disks = {"local_disks": 1, "local_disk_size_gb": psutil.disk_usage("/").total // 1024**3}
    return {
        "node_types": [
            {
                **machine,
                "node_type_id": name,
                "instance_type_id": name,
                "node_instance_type": {"instance_type_id": name, **disks},
            }
            for name in _NODE_TYPES
        ]
    }


def cluster_view(cluster: Cluster) -> dict[str, Any]:
    """The cluster's specification, as it was given, and its state."""
    ended = {"terminated_time": cluster.terminated_time} if cluster.state == "TERMINATED" else {}
    return {
        **cluster.spec,
        **ended,
        "cluster_id": cluster.cluster_id,
        "cluster_name": cluster.spec.get("cluster_name") or cluster.cluster_id,
        "cluster_source": cluster.source,
        "creator_user_name": CREATOR,
        "state": cluster.state,
        "state_message": cluster.state_message,
        "start_time": cluster.start_time,
    }
