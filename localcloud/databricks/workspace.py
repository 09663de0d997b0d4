"""The parts of the workspace, put together."""

import threading
from dataclasses import dataclass
from pathlib import Path

from localcloud.databricks.engine.attempts import Attempts
from localcloud.databricks.engine.clusters import Clusters, Options
from localcloud.databricks.engine.processes import leftovers, stop_all
from localcloud.databricks.engine.runs import RunEngine
from localcloud.databricks.files import FileTree
from localcloud.databricks.secret_scopes import SecretScopes
from localcloud.databricks.state import State
from localcloud.databricks.uploads import Uploads
from localcloud.home import Home
from localcloud.ports import HOST

_TASKS_AT_ONCE = 8


@dataclass(frozen=True)
class Workspace:
    """What a route needs to answer."""

    home: Home
    state: State
    secrets: SecretScopes
    files: FileTree
    clusters: Clusters
    engine: RunEngine
    uploads: Uploads

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.home.port('workspace')}"

    def run_folder(self, run_id: int) -> Path:
        return self.engine.attempts.folder(run_id)

    def open(self) -> None:
        """Makes up for how the last server ended: its processes are stopped, and what they did not finish says so."""
        stop_all(list(leftovers(self.home)))
        self.clusters.forget_servers_of_before()
        self.engine.recover()

    def close(self) -> None:
        self.engine.shutdown()
        self.clusters.stop_all()
        self.state.close()


def make_workspace(home: Home, options: Options) -> Workspace:
    home.workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = State(home.workspace / "workspace.db")
    secrets = SecretScopes(home.workspace / "secret-scopes")
    files = FileTree(home.workspace / "files")
    clusters = Clusters(home, state, secrets, files, options)
    attempts = Attempts(home, state, files, clusters)
    engine = RunEngine(state, attempts, threading.BoundedSemaphore(_TASKS_AT_ONCE))
    return Workspace(home, state, secrets, files, clusters, engine, Uploads())
