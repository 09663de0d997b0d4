"""The Databricks cluster that the steps of one DAG run share, and by which it is found again."""

from dataclasses import dataclass

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.compute import ClusterDetails, ClusterSource, ClusterSpec, ListClustersFilterBy

from include.compute import Compute
from include.lineage import lineage_secrets
from include.runs import cluster_specification
from include.settings import Settings

IDLE_MINUTES = 10
"""After so long without a run the cluster ends by itself, should Airflow be lost; a later run starts it again."""


@dataclass(frozen=True)
class DagRunKey:
    """Whose cluster it is. The lake tells apart two Airflows that share a workspace."""

    dag_id: str
    run_id: str
    lake_root: str

    @property
    def tags(self) -> dict[str, str]:
        return {"bookstore_dag": self.dag_id, "bookstore_run": self.run_id, "bookstore_lake": self.lake_root}


def start(workspace: WorkspaceClient, settings: Settings, key: DagRunKey) -> str:
    """Starts the DAG run's cluster and returns its id at once; one that is there already is taken.

    The answer to a request may be lost after it was done, so what counts is what the workspace lists afterwards: one
    cluster stays, any other is deleted.
    """
    found = _clusters_of(workspace, key)
    if not found:
        created = _create(workspace, settings, key)
        found = _clusters_of(workspace, key) or [created]
    kept, *doubles = found
    for cluster_id in doubles:
        workspace.clusters.permanent_delete(cluster_id)
    return kept


def delete(workspace: WorkspaceClient, key: DagRunKey) -> list[str]:
    """Deletes every cluster of the DAG run for good, with what still runs there; returns their ids."""
    found = _clusters_of(workspace, key)
    for cluster_id in found:
        workspace.clusters.permanent_delete(cluster_id)
    return found


def _create(workspace: WorkspaceClient, settings: Settings, key: DagRunKey) -> str:
    specification = cluster_specification(settings, Compute.DAG_CLUSTER, lineage_secrets(settings))
    specification |= {
        "cluster_name": f"{key.dag_id} {key.run_id}",
        "custom_tags": {**specification["custom_tags"], **key.tags},
        "autotermination_minutes": IDLE_MINUTES,
    }
    created = workspace.clusters.create(**vars(ClusterSpec.from_dict(specification)))
    cluster_id: str = created.bind()["cluster_id"]
    return cluster_id


def _clusters_of(workspace: WorkspaceClient, key: DagRunKey) -> list[str]:
    """The DAG run's clusters, the oldest first."""
    listed = workspace.clusters.list(filter_by=ListClustersFilterBy(cluster_sources=[ClusterSource.API]))
    own = [cluster for cluster in listed if key.tags.items() <= (cluster.custom_tags or {}).items()]
    return [str(cluster.cluster_id) for cluster in sorted(own, key=_age)]


def _age(cluster: ClusterDetails) -> tuple[int, str]:
    return cluster.start_time or 0, cluster.cluster_id or ""
