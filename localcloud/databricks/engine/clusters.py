"""Clusters: which Spark server serves whom, when it starts, and when it goes."""

import logging
import shutil
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from localcloud.databricks.engine import libraries as wheels
from localcloud.databricks.engine.catalog import Catalog
from localcloud.databricks.engine.resolving import Resolver
from localcloud.databricks.engine.server_spec import ServerSpec
from localcloud.databricks.engine.spark_server import ClusterStartError, SparkServer, launch_server
from localcloud.databricks.errors import invalid_parameter
from localcloud.databricks.payloads.clusters import ClusterSpec
from localcloud.databricks.state import Cluster, State, now
from localcloud.errors import LocalCloudError
from localcloud.home import Home

log = logging.getLogger(__name__)

API = "API"
JOB = "JOB"
_WARM_JOB_SERVERS = 2
_REMEMBERED_JOB_CLUSTERS = 10


class Clusters:
    """The workspace's clusters; at most one Spark server each."""

    def __init__(self, home: Home, state: State, resolver: Resolver, catalog: Catalog) -> None:
        self._home = home
        self._state = state
        self._resolver = resolver
        self._catalog = catalog
        self._servers: dict[str, SparkServer] = {}
        self._changing: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._users: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.closing = threading.Event()

    def create(self, spec: ClusterSpec, cluster_id: str | None = None) -> str:
        cluster_id = cluster_id or f"local-{uuid.uuid4().hex[:12]}"
        self._state.add(Cluster(cluster_id=cluster_id, source=API, spec=spec.as_json(), start_time=now()))
        return cluster_id

    def for_job(self, spec: ClusterSpec, libraries: list[dict[str, Any]]) -> str:
        """The cluster that every job cluster of this specification, secrets' values and libraries shares."""
        cluster_id = self._resolver.job_cluster_id(spec, libraries)
        with self._lock:
            if self._state.get(Cluster, cluster_id) is None:
                row = Cluster(cluster_id=cluster_id, source=JOB, spec=spec.as_json(), start_time=now())
                row.libraries = libraries
                self._state.add(row)
        return cluster_id

    def with_libraries(self, cluster_id: str, libraries: list[dict[str, Any]]) -> str:
        """Gives an all-purpose cluster more libraries; one in another version takes a restart, as on Databricks."""
        with self._changing[cluster_id]:
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
        """Every cluster, the one used last first."""
        query = select(Cluster).order_by(Cluster.last_used_time.desc(), Cluster.start_time.desc())
        return [self.get(cluster.cluster_id) for cluster in self._state.find(query)]

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
            LocalCloudError: Its JVM didn't come up, or a library or secret that it needs isn't to be had.
        """
        with self._changing[cluster_id]:
            cluster = self.get(cluster_id)
            server = self._servers.get(cluster_id)
            if server is not None and server.is_running and not self._is_outdated(cluster, server):
                return server
            self.stop(cluster_id)
            return self._start(cluster)

    def stop(self, cluster_id: str, why: str = "Terminated") -> None:
        with self._changing[cluster_id]:
            server = self._servers.pop(cluster_id, None)
            if server is not None:
                self._state.update(Cluster, cluster_id, state="TERMINATING", state_message=why)
                server.stop()
            self._terminated(cluster_id, why)

    def restart(self, cluster_id: str) -> None:
        with self._changing[cluster_id]:
            self.stop(cluster_id, "Restarting")
            self.start(cluster_id)

    def delete(self, cluster_id: str) -> None:
        """Stops the cluster and forgets its definition."""
        with self._changing[cluster_id]:
            cluster = self.get(cluster_id)
            self.stop(cluster_id)
            shutil.rmtree(self._resolver.folder / cluster_id, ignore_errors=True)
            self._state.delete(cluster)

    def start_in_background(self, cluster_id: str) -> None:
        """As `start`, but returns at once; the cluster's state tells what comes of it."""
        if self.get(cluster_id).state != "RUNNING":
            self._state.update(Cluster, cluster_id, state="PENDING", state_message="Starting")
            self._in_background(self.start, cluster_id)

    def restart_in_background(self, cluster_id: str) -> None:
        self.get(cluster_id)
        self._state.update(Cluster, cluster_id, state="RESTARTING", state_message="Restarting")
        self._in_background(self.restart, cluster_id)

    def end_session(self, server: SparkServer, session_id: str) -> None:
        """Ends what a task left running in Spark, and writes down, in the background, which views it has made."""
        self._catalog.end_session(server, session_id)
        self._in_background(lambda _: self._catalog.remember_views(server), server.spec.cluster_id)

    def close(self) -> None:
        """Stops every server, also one that has only begun to start."""
        with self._lock:
            self.closing.set()
        for server in list(self._servers.values()):
            server.stop()

    def tidy(self) -> None:
        """Forgets the job clusters unused for longest: each new wheel makes another."""
        for cluster in [cluster for cluster in self.all() if cluster.source == JOB][_REMEMBERED_JOB_CLUSTERS:]:
            self.delete(cluster.cluster_id)

    def forget_servers_of_before(self) -> None:
        """After a restart of the workspace no cluster runs."""
        for cluster in self._state.find(select(Cluster).where(Cluster.state != "TERMINATED")):
            self._terminated(cluster.cluster_id, "The workspace was restarted")

    def _start(self, cluster: Cluster) -> SparkServer:
        self._make_room()
        cluster_id = cluster.cluster_id
        self._state.update(Cluster, cluster_id, state="PENDING", state_message="Starting Spark", start_time=now())
        try:
            spec = self._resolver.server_spec(cluster)
            self._install_libraries(cluster, spec)
            server = self._launch(spec)
            self._catalog.prepare()
            server.wait_until_listening()
        except Exception as error:
            self.stop(cluster_id, str(error))
            raise
        self._catalog.register(server)
        self._state.update(Cluster, cluster_id, state="RUNNING", state_message="", last_used_time=now())
        return server

    def _launch(self, spec: ServerSpec) -> SparkServer:
        with self._lock:
            if self.closing.is_set():
                raise ClusterStartError("the workspace is stopping")
            self._servers[spec.cluster_id] = launch_server(self._home, spec)
            return self._servers[spec.cluster_id]

    def _install_libraries(self, cluster: Cluster, spec: ServerSpec) -> None:
        shutil.rmtree(spec.libraries, ignore_errors=True)
        spec.libraries.mkdir(parents=True)
        if cluster.libraries:
            wheels.install(self._resolver.wheels(cluster.libraries), spec.libraries)

    def _add_libraries(self, cluster: Cluster, added: list[dict[str, Any]]) -> None:
        new = {wheels.package(library): library for library in added}
        old = {wheels.package(library): library for library in cluster.libraries}
        server = self._servers.get(cluster.cluster_id)
        if server is not None and new.keys() & old.keys():
            self._stop_for_other_version(cluster.cluster_id, ", ".join(sorted(new.keys() & old.keys())))
        elif server is not None:
            wheels.install(self._resolver.wheels(added), server.spec.libraries)
        self._state.update(Cluster, cluster.cluster_id, libraries=list((old | new).values()))

    def _stop_for_other_version(self, cluster_id: str, packages: str) -> None:
        if self._users[cluster_id] > 0:
            raise wheels.LibraryError(
                f"{packages} is in use on the running cluster {cluster_id} in another version: "
                "run again when the cluster is idle"
            )
        self.stop(cluster_id, f"Stopped to change the version of {packages}")

    def _make_room(self) -> None:
        """Stops the job clusters unused for longest, so that JVMs don't fill the memory."""
        running = [cluster for cluster in self.all() if cluster.source == JOB and cluster.cluster_id in self._servers]
        idle = [cluster for cluster in running if self._users[cluster.cluster_id] == 0]
        excess = max(0, len(running) - _WARM_JOB_SERVERS + 1)
        for cluster in idle[::-1][:excess]:
            self.stop(cluster.cluster_id, "Stopped to make room for another job cluster")

    def _is_outdated(self, cluster: Cluster, server: SparkServer) -> bool:
        """Whether a secret has changed since the start; a cluster in use keeps running with the old one."""
        return self._users[cluster.cluster_id] <= 1 and self._resolver.server_spec(cluster) != server.spec

    def _in_background(self, action: Callable[[str], object], cluster_id: str) -> None:
        def act() -> None:
            try:
                action(cluster_id)
            except LocalCloudError as error:
                log.warning("cluster %s: %s", cluster_id, error)  # its state message tells the user

        threading.Thread(target=act, name=f"cluster-{cluster_id}", daemon=True).start()

    def _terminated(self, cluster_id: str, why: str) -> None:
        self._state.update(Cluster, cluster_id, state="TERMINATED", state_message=why, terminated_time=now())
