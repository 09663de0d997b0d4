"""What clusters know by name: the lake's schemas and Delta tables, and the views that jobs made.

Each server's catalog is in its memory. The tables can be found again in the lake; a view is nowhere but in a catalog,
so its definition is written down after each task.
"""

import json
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from localcloud.databricks.engine.spark_server import SparkServer
from localcloud.home import write_private

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Catalog:
    """What outlives the servers.

    Attributes:
        lake_root: The lake's URI.
        views_file: Where views' definitions are written down.
    """

    lake_root: str
    views_file: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def prepare() -> None:
        """Imports what `register` needs, which takes seconds: best done while a server starts."""
        import localcloud.databricks.engine.connect  # noqa: F401

    def register(self, server: SparkServer) -> None:
        """Makes the lake known to a new server.

        A server without the lake's key starts as well: on Azure too it is the first read that fails.
        """
        from localcloud.databricks.engine.connect import ConnectError, register

        try:
            register(server.remote_with_token(), self.lake_root, list(self._views().values()))
        except ConnectError as error:
            log.warning("%s runs without knowing all of the lake by name: %s", server.spec.cluster_id, error)

    def end_session(self, server: SparkServer, session_id: str) -> None:
        """Ends a task's session: killing its client alone stops none of its queries."""
        from localcloud.databricks.engine.connect import ConnectError, release

        try:
            release(f"{server.remote(session_id)};token={server.token}")
        except ConnectError as error:
            log.warning("the session of a task on %s was not released: %s", server.spec.cluster_id, error)

    def remember_views(self, server: SparkServer) -> None:
        """Writes down the views that the server knows."""
        from localcloud.databricks.engine.connect import ConnectError, definitions_of_views

        try:
            found = definitions_of_views(server.remote_with_token())
        except ConnectError as error:
            log.warning("the views of %s can't be read: %s", server.spec.cluster_id, error)
            return
        with self._lock:
            views = self._views()
            if views | found != views:
                write_private(self.views_file, json.dumps(views | found, indent=1))

    def _views(self) -> dict[str, str]:
        if not self.views_file.is_file():
            return {}
        views: dict[str, str] = json.loads(self.views_file.read_text())
        return views
