"""What the local cloud asks of its own workspace, and Databricks has no route for."""

from fastapi import APIRouter

from localcloud.databricks.routes.common import Current

router = APIRouter(prefix="/api/localcloud")


@router.post("/spark-connect")
def spark_connect(workspace: Current) -> dict[str, str]:
    """Where to ask Spark: on the cluster used last, started if need be."""
    server = workspace.clusters.start(workspace.usual_cluster())
    return {"remote": server.remote_anonymous()}


@router.post("/warm-up")
def warm_up(workspace: Current) -> dict[str, str | None]:
    """Starts, in the background, the cluster that was used last; where there has been none, nothing."""
    cluster_id = workspace.last_cluster()
    if cluster_id is not None:
        workspace.clusters.start_in_background(cluster_id)
    return {"cluster_id": cluster_id}
