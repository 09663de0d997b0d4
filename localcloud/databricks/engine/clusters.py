"""Clusters: which one runs on what, when it starts, and when it goes."""

import logging
import shutil
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
from sqlalchemy import select

from localcloud.databricks.engine.catalog import Catalog
from localcloud.databricks.engine.cluster_faults import ClusterFaults, NoCapacityError
from localcloud.databricks.engine.resolving import Resolver
from localcloud.databricks.engine.servers import Libraries, Servers
from localcloud.databricks.engine.spark_server import SparkServer
from localcloud.databricks.errors import invalid_parameter
from localcloud.databricks.payloads.clusters import ClusterSpec
from localcloud.databricks.state import Cluster, State, now
from localcloud.errors import LocalCloudError

log = logging.getLogger(__name__)

API = "API"
JOB = "JOB"
_WARM_SERVERS = 2
_REMEMBERED_JOB_CLUSTERS = 10
_MINUTE = 60_000


class Clusters:
    """The workspace's clusters, each on a Spark server of its own or one that it shares with others of its settings."""

    def __init__(
        self, state: State, resolver: Resolver, catalog: Catalog, servers: Servers, faults: ClusterFaults
    ) -> None:
        self._state = state
        self._resolver = resolver
        self._catalog = catalog
        self._servers = servers
        self._faults = faults
        self._changing: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._users: Counter[str] = Counter()
        self._lock = threading.Lock()

    def create(self, spec: ClusterSpec, cluster_id: str | None = None) -> str:
        cluster_id = cluster_id or f"local-{uuid.uuid4().hex[:12]}"
        self._state.add(Cluster(cluster_id=cluster_id, source=API, spec=spec.as_json(), start_time=now()))
        return cluster_id

    def for_job(self, spec: ClusterSpec, libraries: Libraries) -> str:
        """The cluster that every job cluster of this specification, secrets' values and libraries shares."""
        cluster_id = self._resolver.job_cluster_id(spec, libraries)
        with self._lock:
            if self._state.get(Cluster, cluster_id) is None:
                row = Cluster(cluster_id=cluster_id, source=JOB, spec=spec.as_json(), start_time=now())
                row.libraries = libraries
                self._state.add(row)
        return cluster_id

    def get(self, cluster_id: str) -> Cluster:
        cluster = self._state.get(Cluster, cluster_id)
        if cluster is None:
            raise invalid_parameter(f"Cluster {cluster_id} does not exist")
        if cluster.state != "RUNNING":
            return cluster
        server = self._servers.of(cluster_id)
        if server is None or not server.is_running:
            self._terminated(cluster_id, "The cluster's JVM is gone")
        elif self._is_forgotten(cluster) and self._stop_unless_changing(cluster_id, "Terminated for inactivity"):
            log.info("cluster %s was terminated for inactivity", cluster_id)
        else:
            return cluster
        return self.get(cluster_id)

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

    def running_server(self, cluster_id: str) -> SparkServer | None:
        """The server of a cluster that runs; never starts one."""
        return self._servers.of(cluster_id) if self.get(cluster_id).is_running else None

    def is_in_use(self, cluster_id: str) -> bool:
        return self._users[cluster_id] > 0

    def changing(self, cluster_id: str) -> threading.RLock:
        """Held while the cluster starts, stops or gets libraries."""
        return self._changing[cluster_id]

    def is_served(self, cluster_id: str, server: SparkServer) -> bool:
        """Whether the cluster still runs on the server: neither of the two has ended."""
        return server.is_running and self._servers.of(cluster_id) is server

    def start(self, cluster_id: str) -> SparkServer:
        """Starts the cluster if it isn't running, and returns when it is.

        Raises:
            LocalCloudError: Its JVM didn't come up, or a library or secret that it needs isn't to be had.
        """
        with self._changing[cluster_id]:
            cluster = self.get(cluster_id)
            server = self._servers.of(cluster_id)
            is_there = server is not None and server.is_running and not self._is_outdated(cluster, server)
            # On Databricks each run that brings its cluster waits for machines; here it often finds a warm server.
            if cluster.source == JOB or not is_there:
                self._meet_faults(cluster_id)
            return server if server is not None and is_there else self._start(cluster)

    def stop(self, cluster_id: str, why: str = "Terminated") -> None:
        """Terminates the cluster, and its server unless others share it."""
        with self._changing[cluster_id]:
            self._state.update(Cluster, cluster_id, state="TERMINATING", state_message=why)
            self._leave_server(cluster_id)
            self._terminated(cluster_id, why)

    def restart(self, cluster_id: str) -> None:
        with self._changing[cluster_id]:
            self._start(self.get(cluster_id))

    def delete(self, cluster_id: str) -> None:
        """Terminates the cluster and forgets its definition; its server stays warm for the next of its settings."""
        with self._changing[cluster_id]:
            cluster = self.get(cluster_id)
            server = self._servers.of(cluster_id)
            if cluster.source == API and server is not None and server.is_running:
                self._keep_warm(cluster, server)
            self.stop(cluster_id)
            self._state.delete(cluster)
            self._remove_folders()

    def start_in_background(self, cluster_id: str) -> None:
        """As `start`, but returns at once; the cluster's state tells what comes of it."""
        if self.get(cluster_id).state != "RUNNING":
            self._state.update(Cluster, cluster_id, state="PENDING", state_message="Starting")
            _in_background(self.start, cluster_id)

    def restart_in_background(self, cluster_id: str) -> None:
        self.get(cluster_id)
        self._state.update(Cluster, cluster_id, state="RESTARTING", state_message="Restarting")
        _in_background(self.restart, cluster_id)

    def end_session(self, server: SparkServer, session_id: str) -> None:
        """Ends what a task left running in Spark, and writes down, in the background, which views it has made."""
        if server.is_running and not self._servers.closing.is_set():
            self._catalog.end_session(server, session_id)
            _in_background(lambda _: self._catalog.remember_views(server), server.spec.cluster_id)

    def close(self) -> None:
        self._servers.close()

    def abandon(self, why: str) -> None:
        """Ends every server at once, also one that is about to start, and says why."""
        for server in self._servers.all():
            clusters = self._servers.served_by(server)
            log.warning("clusters %s are stopped: %s", ", ".join(clusters), why)
            server.stop()
            for cluster_id in clusters:
                self._terminated(cluster_id, why)

    def kill(self) -> list[str]:
        """Kills every server as the out-of-memory killer does; which clusters were on them."""
        lost = [cluster_id for server in self._servers.all() for cluster_id in self._servers.served_by(server)]
        for server in self._servers.all():
            with suppress(psutil.NoSuchProcess):
                psutil.Process(server.process.pid).kill()
            server.process.wait()
        return lost

    def tidy(self) -> None:
        """Forgets the job clusters unused for longest: each new wheel makes another."""
        for cluster in [cluster for cluster in self.all() if cluster.source == JOB][_REMEMBERED_JOB_CLUSTERS:]:
            self.delete(cluster.cluster_id)
        self._remove_folders()

    def find_servers_of_before(self) -> list[SparkServer]:
        """After a restart of the workspace: clusters whose servers still run go on with them, others run no more."""
        for cluster in self._state.find(select(Cluster).where(Cluster.state != "TERMINATED")):
            server = self._server_of_before(cluster)
            if server is None:
                self._terminated(cluster.cluster_id, "The workspace was restarted")
            else:
                self._servers.give(cluster.cluster_id, server)
        return self._servers.all()

    def _meet_faults(self, cluster_id: str) -> None:
        try:
            self._faults.meet(cluster_id)
        except NoCapacityError as error:
            self.stop(cluster_id, str(error))
            raise

    def _server_of_before(self, cluster: Cluster) -> SparkServer | None:
        if cluster.state != "RUNNING" or cluster.server is None:
            return None
        with suppress(LocalCloudError):  # a secret that its settings refer to is gone
            return self._servers.find(self._resolver.server_spec(cluster, cluster.server))
        return None

    def _start(self, cluster: Cluster) -> SparkServer:
        """Starts it anew. Never terminated on the way: clients that wait for it would give up."""
        cluster_id = cluster.cluster_id
        self._state.update(Cluster, cluster_id, state="PENDING", state_message="Starting Spark", start_time=now())
        try:
            self._leave_server(cluster_id)
            server = self._served(cluster)
        except Exception as error:
            self.stop(cluster_id, str(error))
            raise
        self._running(cluster_id, server)
        return server

    def _leave_server(self, cluster_id: str) -> None:
        """Stops the cluster's server unless others share it."""
        server = self._servers.take(cluster_id)
        if server is not None:
            server.stop()

    def _served(self, cluster: Cluster) -> SparkServer:
        """Gives the cluster a server of its settings that is there, else a new one."""
        spec = self._resolver.server_spec(cluster)
        with self._servers.starting(spec):
            found = self._servers.fitting(spec, cluster.libraries, exactly=cluster.source == JOB)
            if found is None:
                self._limit_warm_servers(_WARM_SERVERS - 1)
                return self._servers.launch(spec, cluster.libraries)
            self._servers.give(cluster.cluster_id, found)
            self._servers.install(found, cluster.libraries)
            return found

    def _keep_warm(self, cluster: Cluster, server: SparkServer) -> None:
        """Leaves a server, which its last cluster is about to leave, to job clusters of the same specification."""
        is_as_specified = server.spec.settings == self._resolver.server_spec(cluster).settings
        if not is_as_specified or not self._servers.has_exactly(server, cluster.libraries):
            return
        job_id = self.for_job(ClusterSpec.model_validate(cluster.spec), cluster.libraries)
        if self._servers.of(job_id) is None:
            self._servers.give(job_id, server)
            self._running(job_id, server)
            self._limit_warm_servers(_WARM_SERVERS)

    def _limit_warm_servers(self, most: int) -> None:
        """Stops servers that only job clusters had, those unused for longest, so that JVMs don't fill the memory."""
        jobs = [cluster.cluster_id for cluster in self.all() if cluster.source == JOB]
        warm = [cluster_id for cluster_id in jobs if self._serves_only(jobs, cluster_id)]
        idle = [cluster_id for cluster_id in warm if not self.is_in_use(cluster_id)]
        for cluster_id in idle[::-1][: max(0, len(warm) - most)]:
            self._stop_unless_changing(cluster_id, "Stopped to make room for another job cluster")

    def _serves_only(self, jobs: list[str], cluster_id: str) -> bool:
        server = self._servers.of(cluster_id)
        return server is not None and set(self._servers.served_by(server)) <= set(jobs)

    def _stop_unless_changing(self, cluster_id: str, why: str) -> bool:
        """Stops a cluster unless somebody else is starting or stopping it; says whether it did."""
        if not self._changing[cluster_id].acquire(blocking=False):
            return False
        try:
            self.stop(cluster_id, why)
        finally:
            self._changing[cluster_id].release()
        return True

    def _is_forgotten(self, cluster: Cluster) -> bool:
        """Whether nobody has used it for as long as it was to wait."""
        limit = int(cluster.spec.get("autotermination_minutes") or 0) * _MINUTE
        return limit > 0 and not self.is_in_use(cluster.cluster_id) and now() - cluster.last_used_time > limit

    def _is_outdated(self, cluster: Cluster, server: SparkServer) -> bool:
        """Whether a secret has changed since the start; a cluster in use keeps running with the old one."""
        wanted = self._resolver.server_spec(cluster).settings
        return self._users[cluster.cluster_id] <= 1 and wanted != server.spec.settings

    def _remove_folders(self) -> None:
        """Removes what is left of clusters that nobody knows, unless their server serves others."""
        known = {row.cluster_id for row in self._state.find(select(Cluster))}
        used = known | {server.spec.cluster_id for server in self._servers.all()}
        with suppress(FileNotFoundError):
            for folder in self._resolver.folder.iterdir():
                if folder.name not in used:
                    shutil.rmtree(folder, ignore_errors=True)

    def _running(self, cluster_id: str, server: SparkServer) -> None:
        details = {"state_message": "", "last_used_time": now(), "server": server.spec.cluster_id}
        self._state.update(Cluster, cluster_id, state="RUNNING", **details)

    def _terminated(self, cluster_id: str, why: str) -> None:
        self._state.update(Cluster, cluster_id, state="TERMINATED", state_message=why, terminated_time=now())


def _in_background(action: Callable[[str], object], cluster_id: str) -> None:
    def act() -> None:
        try:
            action(cluster_id)
        except LocalCloudError as error:
            log.warning("cluster %s: %s", cluster_id, error)  # its state message tells the user

    threading.Thread(target=act, name=f"cluster-{cluster_id}", daemon=True).start()
