"""Libraries of all-purpose clusters: added while they run, in other versions at a restart."""

from dataclasses import dataclass

from localcloud.databricks.engine.clusters import Clusters
from localcloud.databricks.engine.libraries import LibraryError, package
from localcloud.databricks.engine.servers import Libraries, Servers
from localcloud.databricks.state import Cluster, State


@dataclass(frozen=True)
class ClusterLibraries:
    """What clusters have installed."""

    clusters: Clusters
    servers: Servers
    state: State

    def add(self, cluster_id: str, libraries: Libraries) -> None:
        """Gives a cluster more libraries; one in another version takes a restart, as on Databricks.

        Raises:
            LibraryError: A library can't be installed, or is in use in another version.
        """
        with self.clusters.changing(cluster_id):
            cluster = self.clusters.get(cluster_id)
            added = [library for library in libraries if library not in cluster.libraries]
            if added:
                self._add(cluster, added)

    def remove(self, cluster_id: str, libraries: Libraries) -> None:
        """Takes libraries off the cluster at its next start."""
        kept = [library for library in self.clusters.get(cluster_id).libraries if library not in libraries]
        self.state.update(Cluster, cluster_id, libraries=kept)

    def _add(self, cluster: Cluster, added: Libraries) -> None:
        server = self.servers.of(cluster.cluster_id)
        if server is not None and (clashes := self.servers.clashes(server, added)):
            self._stop_for_other_version(cluster.cluster_id, ", ".join(clashes))
        elif server is not None:
            self.servers.install(server, added)
        by_package = {package(library): library for library in [*cluster.libraries, *added]}
        self.state.update(Cluster, cluster.cluster_id, libraries=list(by_package.values()))

    def _stop_for_other_version(self, cluster_id: str, packages: str) -> None:
        if self.clusters.is_in_use(cluster_id):
            raise LibraryError(
                f"{packages} is in use on the running cluster {cluster_id} in another version: "
                "run again when the cluster is idle"
            )
        self.clusters.stop(cluster_id, f"Stopped to change the version of {packages}")
