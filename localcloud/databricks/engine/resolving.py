"""From a cluster's specification, as the API takes it, to what its server is started with."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.databricks.engine.libraries import fingerprint, install, package
from localcloud.databricks.engine.server_spec import ServerSpec
from localcloud.databricks.files import FileTree
from localcloud.databricks.payloads.clusters import ClusterSpec
from localcloud.databricks.secret_scopes import SecretScopes, refers_to_secret
from localcloud.databricks.state import Cluster

_HADOOP = "spark.hadoop."


@dataclass(frozen=True)
class Resolver:
    """Puts secrets' values where only the server sees them.

    Attributes:
        folder: Where each cluster has its own folder.
        heap: Memory of each server's JVM.
    """

    folder: Path
    secrets: SecretScopes
    files: FileTree
    heap: str

    def server_spec(self, cluster: Cluster, home: str | None = None) -> ServerSpec:
        """What the cluster's server is started with, in its own folder or in that of the cluster `home`."""
        return self._resolve(home or cluster.cluster_id, ClusterSpec.model_validate(cluster.spec))

    def install(self, libraries: list[dict[str, Any]], target: Path) -> None:
        install(self.files, libraries, target)

    def contents(self, libraries: list[dict[str, Any]]) -> dict[str, str]:
        """The packages that the libraries hold, each with its content's hash."""
        return {package(library): fingerprint(self.files, library) for library in libraries}

    def job_cluster_id(self, spec: ClusterSpec, libraries: list[dict[str, Any]]) -> str:
        """The same for the same settings, secrets' values and wheels' contents, and only then."""
        identity = self._resolve("", spec).settings + json.dumps(self.contents(libraries), sort_keys=True)
        return f"job-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"

    def _resolve(self, cluster_id: str, spec: ClusterSpec) -> ServerSpec:
        secret = {name for name, value in spec.spark_conf.items() if refers_to_secret(value)}
        private = {name for name in secret if name.startswith(_HADOOP)}
        resolved = {name: self.secrets.resolve(value) for name, value in spec.spark_conf.items()}
        return ServerSpec(
            cluster_id=cluster_id,
            folder=self.folder / cluster_id,
            spark_conf={name: value for name, value in resolved.items() if name not in private},
            private_hadoop_conf={name.removeprefix(_HADOOP): resolved[name] for name in private},
            environment={name: self.secrets.resolve(value) for name, value in spec.spark_env_vars.items()},
            heap=self.heap,
        )
