"""Clusters: which Spark server serves whom, when it starts, and when it goes."""

import hashlib
import json
import logging
import shutil
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from localcloud.databricks.engine import libraries as wheels
from localcloud.databricks.engine.catalog import register_lake
from localcloud.databricks.engine.spark_server import ServerSpec, SparkServer, start_server
from localcloud.databricks.errors import invalid_parameter
from localcloud.databricks.files import FileTree
from localcloud.databricks.payloads import ClusterSpec
from localcloud.databricks.secret_scopes import SecretScopes, refers_to_secret
from localcloud.databricks.state import Cluster, State, now
from localcloud.errors import LocalCloudError
from localcloud.home import Home

log = logging.getLogger(__name__)

API = "API"
JOB = "JOB"
_HADOOP = "spark.hadoop."
_WARM_JOB_SERVERS = 2


@dataclass(frozen=True)
class Options:
    """How clusters are run here.

    Attributes:
        heap: Memory of each cluster's JVM.
        lake_root: Where the tables are that a new cluster makes known by name.
    """

    heap: str
    lake_root: str


class Clusters:
    """The workspace's clusters; at most one Spark server each."""

    def __init__(self, home: Home, state: State, secrets: SecretScopes, files: FileTree, options: Options) -> None:
        self._home = home
        self._state = state
        self._secrets = secrets
        self._files = files
        self._options = options
        self._servers: dict[str, SparkServer] = {}
        self._starting: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._users: Counter[str] = Counter()
        self._lock = threading.Lock()

    def create(self, spec: ClusterSpec) -> str:
        cluster_id = f"local-{uuid.uuid4().hex[:12]}"
        self._state.add(_row(cluster_id, API, spec.as_json(), []))
        return cluster_id

    def for_job(self, spec: ClusterSpec, libraries: list[dict[str, Any]]) -> str:
        """The cluster that every job cluster of this specification, secrets' values and libraries shares."""
        resolved = self._server_spec("", spec)
        identity = [
            resolved.spark_conf,
            resolved.private_hadoop_conf,
            resolved.environment,
            wheels.fingerprint(wheels.wheel_files(self._files, libraries)),
        ]
        cluster_id = f"job-{hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]}"
        with self._lock:
            if self._state.get(Cluster, cluster_id) is None:
                self._state.add(_row(cluster_id, JOB, spec.as_json(), libraries))
        return cluster_id

    def with_libraries(self, cluster_id: str, libraries: list[dict[str, Any]]) -> str:
        """Gives an all-purpose cluster more libraries; one in another version takes a restart, as on Databricks."""
        with self._starting[cluster_id]:
            cluster = self.get(cluster_id)
            added = [library for library in libraries if library not in cluster.libraries]
            if added:
                self._add_libraries(cluster, added)
        return cluster_id

    def without_libraries(self, cluster_id: str, libraries: list[dict[str, Any]]) -> None:
        """Takes libraries off the cluster at its next start."""
        kept = [library for library in self.get(cluster_id).libraries if library not in libraries]
        self._state.update(Cluster, cluster_id, libraries=kept)

    def get(self, cluster_id: str) -> Cluster:
        cluster = self._state.get(Cluster, cluster_id)
        if cluster is None:
            raise invalid_parameter(f"Cluster {cluster_id} does not exist")
        server = self._servers.get(cluster_id)
        if cluster.state == "RUNNING" and (server is None or not server.is_running):
            self._terminated(cluster_id, "The cluster's JVM is gone")
            return self.get(cluster_id)
        return cluster

    def all(self) -> list[Cluster]:
        ids = [cluster.cluster_id for cluster in self._state.find(select(Cluster).order_by(Cluster.start_time.desc()))]
        return [self.get(cluster_id) for cluster_id in ids]

    @contextmanager
    def lease(self, cluster_id: str) -> Iterator[SparkServer]:
        """The cluster's server, started if need be, which stays while it is in use."""
        with self._lock:
            self._users[cluster_id] += 1
        try:
            yield self.start(cluster_id)
        finally:
            with self._lock:
                self._users[cluster_id] -= 1
            self._state.update(Cluster, cluster_id, last_used_time=now())

    def start(self, cluster_id: str) -> SparkServer:
        """Starts the cluster if it isn't running, and returns when it is.

        Raises:
            ClusterStartError: Its JVM didn't come up.
            LibraryError: A library can't be installed.
            ApiError: The cluster, a library's file or a secret that it refers to doesn't exist.
        """
        with self._starting[cluster_id]:
            cluster = self.get(cluster_id)
            server = self._servers.get(cluster_id)
            if server is not None and server.is_running and not self._is_outdated(cluster, server):
                return server
            self.stop(cluster_id)
            return self._start(cluster)

    def start_in_background(self, cluster_id: str) -> None:
        """As `start`, but returns at once; the cluster's state tells what comes of it."""
        if self.get(cluster_id).state != "RUNNING":
            self._state.update(Cluster, cluster_id, state="PENDING", state_message="Starting")
            self._in_background(self.start, cluster_id)

    def restart_in_background(self, cluster_id: str) -> None:
        self.get(cluster_id)
        self._state.update(Cluster, cluster_id, state="RESTARTING", state_message="Restarting")
        self._in_background(self.restart, cluster_id)

    def _in_background(self, action: Callable[[str], object], cluster_id: str) -> None:
        def act() -> None:
            try:
                action(cluster_id)
            except LocalCloudError as error:
                log.warning("cluster %s: %s", cluster_id, error)  # its state message tells the user

        threading.Thread(target=act, name=f"cluster-{cluster_id}", daemon=True).start()

    def stop(self, cluster_id: str, why: str = "Terminated") -> None:
        with self._starting[cluster_id]:
            server = self._servers.pop(cluster_id, None)
            if server is not None:
                self._state.update(Cluster, cluster_id, state="TERMINATING", state_message=why)
                server.stop()
            self._terminated(cluster_id, why)

    def restart(self, cluster_id: str) -> None:
        with self._starting[cluster_id]:
            self.stop(cluster_id, "Restarting")
            self.start(cluster_id)

    def delete(self, cluster_id: str) -> None:
        with self._starting[cluster_id]:
            cluster = self.get(cluster_id)
            self.stop(cluster_id)
            shutil.rmtree(self._folder(cluster_id), ignore_errors=True)
            self._state.delete(cluster)

    def stop_all(self) -> None:
        for cluster_id in list(self._servers):
            self.stop(cluster_id, "The workspace stopped")

    def forget_servers_of_before(self) -> None:
        """After a restart of the workspace no cluster runs."""
        for cluster in self._state.find(select(Cluster).where(Cluster.state != "TERMINATED")):
            self._terminated(cluster.cluster_id, "The workspace was restarted")

    def _start(self, cluster: Cluster) -> SparkServer:
        self._make_room()
        cluster_id = cluster.cluster_id
        self._state.update(Cluster, cluster_id, state="PENDING", state_message="Starting Spark", start_time=now())
        try:
            spec = self._server_spec(cluster_id, ClusterSpec.model_validate(cluster.spec))
            self._install_libraries(cluster, spec)
            server = start_server(self._home, spec)
        except Exception as error:
            self._terminated(cluster_id, str(error))
            raise
        self._servers[cluster_id] = server
        self._register_lake(server)
        self._state.update(Cluster, cluster_id, state="RUNNING", state_message="", last_used_time=now())
        return server

    def _add_libraries(self, cluster: Cluster, added: list[dict[str, Any]]) -> None:
        new = {wheels.package(library): library for library in added}
        old = {wheels.package(library): library for library in cluster.libraries}
        server = self._servers.get(cluster.cluster_id)
        if server is not None and new.keys() & old.keys():
            if self._users[cluster.cluster_id] > 0:
                raise wheels.LibraryError(
                    f"{', '.join(sorted(new.keys() & old.keys()))} is on the running cluster {cluster.cluster_id} in "
                    "another version and in use: run again when the cluster is idle"
                )
            self.stop(cluster.cluster_id, "Stopped to change a library's version")
        elif server is not None:
            wheels.install(wheels.wheel_files(self._files, added), server.spec.libraries)
        self._state.update(Cluster, cluster.cluster_id, libraries=list((old | new).values()))

    def _install_libraries(self, cluster: Cluster, spec: ServerSpec) -> None:
        shutil.rmtree(spec.libraries, ignore_errors=True)
        spec.libraries.mkdir(parents=True)
        if cluster.libraries:
            wheels.install(wheels.wheel_files(self._files, cluster.libraries), spec.libraries)

    def _register_lake(self, server: SparkServer) -> None:
        """A cluster without the lake's key starts as well: on Azure too it is the first read that fails."""
        try:
            register_lake(server.remote_with_token(), self._options.lake_root)
        except Exception as error:  # whatever storage answers, the cluster itself is up
            log.warning("%s runs, but the lake's tables aren't known to it by name: %s", server.spec.cluster_id, error)

    def _make_room(self) -> None:
        """Stops the job clusters unused for longest, so that few JVMs fill the memory."""
        running = [cluster for cluster in self.all() if cluster.source == JOB and cluster.cluster_id in self._servers]
        idle = [cluster for cluster in running if self._users[cluster.cluster_id] == 0]
        idle.sort(key=lambda cluster: cluster.last_used_time)
        for cluster in idle[: max(0, len(running) - _WARM_JOB_SERVERS + 1)]:
            self.stop(cluster.cluster_id, "Stopped to make room for another job cluster")

    def _is_outdated(self, cluster: Cluster, server: SparkServer) -> bool:
        """Whether a secret has changed since the start; a cluster in use keeps running with the old one."""
        if self._users[cluster.cluster_id] > 1:
            return False
        return self._server_spec(cluster.cluster_id, ClusterSpec.model_validate(cluster.spec)) != server.spec

    def _server_spec(self, cluster_id: str, spec: ClusterSpec) -> ServerSpec:
        secret = {name for name, value in spec.spark_conf.items() if refers_to_secret(value)}
        private = {name for name in secret if name.startswith(_HADOOP)}
        resolved = {name: self._secrets.resolve(value) for name, value in spec.spark_conf.items()}
        return ServerSpec(
            cluster_id=cluster_id,
            folder=self._folder(cluster_id),
            spark_conf={name: value for name, value in resolved.items() if name not in private},
            private_hadoop_conf={name.removeprefix(_HADOOP): resolved[name] for name in private},
            environment={name: self._secrets.resolve(value) for name, value in spec.spark_env_vars.items()},
            heap=self._options.heap,
        )

    def _folder(self, cluster_id: str) -> Path:
        return self._home.workspace / "clusters" / cluster_id

    def _terminated(self, cluster_id: str, why: str) -> None:
        self._state.update(Cluster, cluster_id, state="TERMINATED", state_message=why, terminated_time=now())


def _row(cluster_id: str, source: str, spec: dict[str, Any], libraries: list[dict[str, Any]]) -> Cluster:
    return Cluster(cluster_id=cluster_id, source=source, spec=spec, libraries=libraries, start_time=now())
