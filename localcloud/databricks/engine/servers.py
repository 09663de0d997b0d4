"""Which Spark server serves which clusters: those of the same settings share one, as machines of a pool are reused."""

import shutil
import threading
from collections import defaultdict
from typing import Any

from localcloud.databricks.engine.catalog import Catalog
from localcloud.databricks.engine.libraries import package
from localcloud.databricks.engine.resolving import Resolver
from localcloud.databricks.engine.server_spec import ServerSpec
from localcloud.databricks.engine.spark_server import ClusterStartError, SparkServer, find_server, launch_server
from localcloud.home import Home

Libraries = list[dict[str, Any]]


class Servers:
    """The servers that are there, each with the clusters that it serves."""

    def __init__(self, home: Home, resolver: Resolver, catalog: Catalog) -> None:
        self._home = home
        self._resolver = resolver
        self._catalog = catalog
        self._of: dict[str, SparkServer] = {}
        self._starting: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._lock = threading.Lock()
        self.closing = threading.Event()

    def of(self, cluster_id: str) -> SparkServer | None:
        return self._of.get(cluster_id)

    def all(self) -> list[SparkServer]:
        """Each server once."""
        return list({server.port: server for server in list(self._of.values())}.values())

    def served_by(self, server: SparkServer) -> list[str]:
        return [cluster_id for cluster_id, other in list(self._of.items()) if other is server]

    def give(self, cluster_id: str, server: SparkServer) -> None:
        self._of[cluster_id] = server

    def take(self, cluster_id: str) -> SparkServer | None:
        """Has the cluster's server serve it no more; returns the server if it serves nobody else."""
        with self._lock:
            server = self._of.pop(cluster_id, None)
            return server if server is not None and not self.served_by(server) else None

    def starting(self, spec: ServerSpec) -> threading.RLock:
        """Held while a server of these settings starts, so that whoever wants one too waits for it."""
        return self._starting[spec.settings]

    def fitting(self, spec: ServerSpec, libraries: Libraries, *, exactly: bool) -> SparkServer | None:
        """A running server of these settings, whose libraries are in nobody's way.

        Args:
            spec: What the server would be started with.
            libraries: What it must be able to have.
            exactly: It must have these and no others; else it may lack some, or have more.
        """
        alike = [server for server in self.all() if server.is_running and server.spec.settings == spec.settings]
        fits = self.has_exactly if exactly else self.has_nothing_against
        return next((server for server in alike if fits(server, libraries)), None)

    def has_exactly(self, server: SparkServer, libraries: Libraries) -> bool:
        return server.libraries == self._resolver.contents(libraries)

    def has_nothing_against(self, server: SparkServer, libraries: Libraries) -> bool:
        return not self.clashes(server, libraries)

    def clashes(self, server: SparkServer, libraries: Libraries) -> list[str]:
        """The packages that the server has in another version."""
        wanted = self._resolver.contents(libraries)
        return sorted(name for name, content in wanted.items() if server.libraries.get(name, content) != content)

    def install(self, server: SparkServer, libraries: Libraries) -> None:
        """Gives a running server the libraries that it doesn't have yet."""
        contents = self._resolver.contents(libraries)
        missing = [library for library in libraries if package(library) not in server.libraries]
        if missing:
            self._resolver.install(missing, server.spec.libraries)
            server.libraries.update(contents)
            server.remember()

    def find(self, spec: ServerSpec) -> SparkServer | None:
        """The server of this specification that an earlier workspace started, if it still runs."""
        found = next((server for server in self.all() if server.spec.cluster_id == spec.cluster_id), None)
        return found or find_server(self._home, spec)

    def launch(self, spec: ServerSpec, libraries: Libraries) -> SparkServer:
        """Starts a server for one cluster, and returns when it can be used.

        Raises:
            LocalCloudError: Its JVM didn't come up, or a library isn't to be had.
        """
        shutil.rmtree(spec.libraries, ignore_errors=True)
        spec.libraries.mkdir(parents=True)
        contents = self._resolver.contents(libraries)
        self._resolver.install(libraries, spec.libraries)
        server = self._launch(spec)
        server.libraries.update(contents)
        self._catalog.prepare()
        server.wait_until_listening()
        self._catalog.register(server)
        server.remember()
        return server

    def close(self) -> None:
        """Stops every server, also one that has only begun to start."""
        with self._lock:
            self.closing.set()
        for server in self.all():
            server.stop()

    def _launch(self, spec: ServerSpec) -> SparkServer:
        with self._lock:
            if self.closing.is_set():
                raise ClusterStartError("the workspace is stopping")
            self._of[spec.cluster_id] = launch_server(self._home, spec)
            return self._of[spec.cluster_id]
