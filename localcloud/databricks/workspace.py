"""The parts of the workspace, put together."""

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from localcloud.databricks.engine.admission import Admission
from localcloud.databricks.engine.attempts import Attempts
from localcloud.databricks.engine.catalog import Catalog
from localcloud.databricks.engine.cluster_faults import ClusterFaults
from localcloud.databricks.engine.cluster_libraries import ClusterLibraries
from localcloud.databricks.engine.clusters import Clusters
from localcloud.databricks.engine.processes import belongs_to, leftovers, stop_all
from localcloud.databricks.engine.resolving import Resolver
from localcloud.databricks.engine.runs import RunEngine
from localcloud.databricks.engine.server_spec import SERVER_LOG
from localcloud.databricks.engine.servers import Servers
from localcloud.databricks.engine.spark_server import SparkServer
from localcloud.databricks.engine.sql_sessions import SqlSessions
from localcloud.databricks.engine.statements import Statements
from localcloud.databricks.engine.task_process import living_task
from localcloud.databricks.faults import Faults
from localcloud.databricks.files import FileTree
from localcloud.databricks.payloads.clusters import ClusterSpec
from localcloud.databricks.secret_scopes import SCOPES_FOLDER, SecretScopes
from localcloud.databricks.state import Cluster, State
from localcloud.databricks.uploads import Uploads
from localcloud.home import Home
from localcloud.ports import HOST
from localcloud.storage import ACCOUNT_KEY

_TASKS_AT_ONCE = 8
_DEFAULT_CLUSTER = "default"
_CLUSTERS = "clusters"
_KEY_SETTING = f"spark.hadoop.{ACCOUNT_KEY}"
_KEY_SCOPE, _KEY_NAME = "bookstore", "adls-account-key"


@dataclass(frozen=True)
class Options:
    """How clusters are run here.

    Attributes:
        heap: Memory of each cluster's JVM.
        lake_root: Where the tables are that a new cluster makes known by name.
    """

    heap: str
    lake_root: str


@dataclass(frozen=True)
class UsualCluster:
    """Which cluster is asked where nobody names one."""

    clusters: Clusters
    secrets: SecretScopes

    def find(self) -> str:
        """The cluster used last, running ones first; where there has been none, one that can read the lake."""
        return self.last() or self.clusters.create(self._default_spec(), _DEFAULT_CLUSTER)

    def last(self) -> str | None:
        clusters = sorted(self.clusters.all(), key=lambda cluster: cluster.state != "RUNNING")
        return clusters[0].cluster_id if clusters else None

    def lease(self) -> AbstractContextManager[SparkServer]:
        return self.clusters.lease(self.find())

    def _default_spec(self) -> ClusterSpec:
        if _KEY_SCOPE not in self.secrets.scopes() or _KEY_NAME not in self.secrets.keys(_KEY_SCOPE):
            return ClusterSpec(spark_version="local")
        key = f"{{{{secrets/{_KEY_SCOPE}/{_KEY_NAME}}}}}"
        return ClusterSpec(spark_version="local", spark_conf={_KEY_SETTING: key})


@dataclass(frozen=True)
class Workspace:
    """What a route needs to answer."""

    home: Home
    state: State
    secrets: SecretScopes
    files: FileTree
    clusters: Clusters
    cluster_libraries: ClusterLibraries
    usual_cluster: UsualCluster
    engine: RunEngine
    admission: Admission
    uploads: Uploads
    statements: Statements
    sql_sessions: SqlSessions
    faults: Faults
    cluster_faults: ClusterFaults

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.home.port('workspace')}"

    def run_folder(self, run_id: int) -> Path:
        return self.engine.attempts.folder(run_id)

    def cluster_log(self, cluster: Cluster) -> Path:
        """What the Spark server that serves the cluster, or did so last, has written."""
        return self.home.workspace / _CLUSTERS / (cluster.server or cluster.cluster_id) / SERVER_LOG

    def open(self) -> None:
        """Makes up for how the last server ended: what still runs goes on, and what doesn't says so."""
        servers = self.clusters.find_servers_of_before()
        kept = [pid for server in servers for pid in (server.process.pid, server.log_writer.pid)]
        kept += [pid for run_id in self.engine.alive() if (pid := living_task(self.run_folder(run_id))) is not None]
        stop_all([process for process in leftovers(self.home) if not belongs_to(process, kept)])
        self.clusters.tidy()
        self.engine.recover(self.admission.start_job)

    def close(self) -> None:
        self.engine.interrupt()
        self.clusters.close()
        self.engine.join()
        self.state.close()


def make_workspace(home: Home, options: Options) -> Workspace:
    home.workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = State(home.workspace / "workspace.db")
    secrets = SecretScopes(home.workspace / SCOPES_FOLDER)
    files = FileTree(home.workspace / "files")
    catalog = Catalog(options.lake_root, home.workspace / "views.json")
    resolver = Resolver(home.workspace / _CLUSTERS, secrets, files, options.heap)
    servers = Servers(home, resolver, catalog)
    cluster_faults = ClusterFaults(servers.closing)
    clusters = Clusters(state, resolver, catalog, servers, cluster_faults)
    libraries = ClusterLibraries(clusters, servers, state)
    attempts = Attempts(home, state, files, clusters, libraries)
    engine = RunEngine(state, attempts, threading.BoundedSemaphore(_TASKS_AT_ONCE))
    usual = UsualCluster(clusters, secrets)

    return Workspace(
        home=home,
        state=state,
        secrets=secrets,
        files=files,
        clusters=clusters,
        cluster_libraries=libraries,
        usual_cluster=usual,
        engine=engine,
        admission=Admission(state, engine),
        uploads=Uploads(),
        statements=Statements(usual.lease),
        sql_sessions=SqlSessions(clusters),
        faults=Faults(),
        cluster_faults=cluster_faults,
    )
