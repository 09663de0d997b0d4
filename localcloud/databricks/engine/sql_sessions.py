"""Sessions of SQL that last: each statement sees the schema, the settings and the views that those before it left."""

import logging
import threading
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localcloud.databricks.engine.clusters import Clusters
from localcloud.databricks.engine.interrupting import interrupt_until
from localcloud.databricks.engine.spark_server import SparkServer
from localcloud.databricks.engine.statement import Parameter, QueryError
from localcloud.errors import LocalCloudError

if TYPE_CHECKING:  # slow to import, and only needed once a session is there
    import pyarrow as pa

    from localcloud.databricks.engine.query import Query

log = logging.getLogger(__name__)

_MOST_SESSIONS = 100
_MOST_BYTES = 512 * 1024 * 1024


class UnknownHandleError(LocalCloudError):
    """Raised where a session or a statement isn't there, or not any more."""


@dataclass
class Execution:
    """A statement, and what has become of it so far.

    Attributes:
        table: Its rows, once it has succeeded.
        fetched: How many of them have been given out.
        ended: Whether its state is its last.
        left: Whether Spark is done with it, which can be later.
    """

    execution_id: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    state: str = "RUNNING"
    error: str = ""
    sql_state: str = ""
    table: "pa.Table | None" = None
    fetched: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def tag(self) -> str:
        """What Spark knows it by."""
        return self.execution_id.hex()

    def end(self, state: str, *, error: str = "", sql_state: str = "", table: "pa.Table | None" = None) -> None:
        """The first end counts: a statement that was cancelled doesn't fail as well."""
        with self.lock:
            if not self.ended.is_set():
                self.state, self.error, self.sql_state, self.table = state, error, sql_state, table
                self.ended.set()

    def rows(self) -> "pa.Table":
        if self.table is None:
            raise LocalCloudError(f"rows are there once a statement has succeeded, and this one is {self.state}")
        return self.table

    def fetch(self, count: int) -> "tuple[int, pa.Table]":
        """The next rows, and the number of the first of them."""
        table = self.rows()
        with self.lock:
            first, rows = self.fetched, table.slice(self.fetched, count)
            self.fetched += len(rows)
            return first, rows


class SqlSession:
    """One client's session, on the cluster that it began on."""

    def __init__(self, clusters: Clusters, cluster_id: str, server: SparkServer, query: "Query") -> None:
        self.session_id = uuid.uuid4().bytes
        self._clusters = clusters
        self._cluster_id = cluster_id
        self._server = server
        self._query = query
        self._executions: dict[bytes, Execution] = {}

    def execute(self, statement: str, parameters: Sequence[Parameter], limit: int | None) -> Execution:
        execution = Execution()
        self._executions[execution.execution_id] = execution
        threading.Thread(
            target=self._run, args=(execution, statement, parameters, limit), name="sql session", daemon=True
        ).start()
        return execution

    def cancel(self, execution: Execution) -> None:
        execution.end("CANCELED")
        interrupt_until(execution.left, lambda: self._query.interrupt(execution.tag))

    def find(self, execution_id: bytes) -> Execution | None:
        return self._executions.get(execution_id)

    def forget(self, execution: Execution) -> None:
        self._executions.pop(execution.execution_id, None)

    def close(self) -> None:
        for execution in list(self._executions.values()):
            execution.end("CANCELED")
        if self._clusters.is_served(self._cluster_id, self._server):
            self._query.interrupt()
            self._query.close()

    def _run(self, execution: Execution, statement: str, parameters: Sequence[Parameter], limit: int | None) -> None:
        try:
            with self._clusters.lease(self._cluster_id) as server:
                if server is not self._server:
                    raise LocalCloudError("this session ended with its cluster: open another")
                table = self._query.table(statement, parameters, limit, tag=execution.tag)
        except QueryError as error:
            execution.end("ERROR", error=str(error), sql_state=error.sql_state)
        except LocalCloudError as error:
            execution.end("ERROR", error=str(error))
        except Exception as error:
            log.exception("a statement broke the engine")
            execution.end("ERROR", error=f"the local workspace failed: {type(error).__name__}: {error}")
        else:
            _finish(execution, table)
        finally:
            execution.left.set()


def _finish(execution: Execution, table: "pa.Table") -> None:
    if table.nbytes > _MOST_BYTES:
        error = f"a result may have {_MOST_BYTES} bytes and has {table.nbytes}: take less with LIMIT, or write a table"
        execution.end("ERROR", error=error)
    else:
        execution.end("FINISHED", table=table)


class SqlSessions:
    """The workspace's sessions; where there are too many, the one that was opened first is closed."""

    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters
        self._sessions: OrderedDict[bytes, SqlSession] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, cluster_id: str, schema: str | None, settings: Mapping[str, str]) -> SqlSession:
        """Begins a session on a cluster, which is started if need be.

        Raises:
            QueryError: Spark refused the schema or a setting.
        """
        with self._clusters.lease(cluster_id) as server:
            from localcloud.databricks.engine.query import Query

            query = Query(server.remote_with_token())
            query.prepare(schema, settings)
        session = SqlSession(self._clusters, cluster_id, server, query)
        with self._lock:
            self._sessions[session.session_id] = session
            surplus = [self._sessions.popitem(last=False)[1] for _ in range(len(self._sessions) - _MOST_SESSIONS)]
        for old in surplus:
            old.close()
        return session

    def get(self, session_id: bytes) -> SqlSession:
        found = self._sessions.get(session_id)
        if found is None:
            raise UnknownHandleError("this session does not exist, or not any more: open another")
        return found

    def find(self, execution_id: bytes) -> tuple[SqlSession, Execution]:
        for session in list(self._sessions.values()):
            if execution := session.find(execution_id):
                return session, execution
        raise UnknownHandleError("this statement does not exist, or is no longer remembered")

    def close(self, session_id: bytes) -> None:
        session = self.get(session_id)
        with self._lock:
            self._sessions.pop(session_id, None)
        session.close()
