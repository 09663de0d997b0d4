"""SQL statements: each runs in a thread and a session of its own, on the cluster that SQL is asked of."""

import logging
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localcloud.databricks.engine.spark_server import SparkServer
from localcloud.databricks.engine.statement import Parameter, QueryError, Rows
from localcloud.databricks.errors import not_found
from localcloud.errors import LocalCloudError

if TYPE_CHECKING:  # Spark's client takes seconds to import: only the thread that asks needs it
    from localcloud.databricks.engine.query import Query

log = logging.getLogger(__name__)

_REMEMBERED = 100
_MOST_INLINE_BYTES = 25 * 1024 * 1024


@dataclass
class Statement:
    """A statement and what has become of it so far."""

    text: str
    parameters: list[Parameter]
    schema: str | None
    row_limit: int | None
    statement_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "PENDING"
    error: str = ""
    error_code: str = ""
    sql_state: str = ""
    rows: Rows = field(default_factory=Rows)
    query: "Query | None" = None
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def end(self, state: str, **found: str | Rows) -> None:
        """The first end counts: a statement that was cancelled doesn't fail as well."""
        with self.lock:
            if not self.ended.is_set():
                for name, value in found.items():
                    setattr(self, name, value)
                self.state = state
                self.ended.set()


class Statements:
    """The workspace's statements; the newest hundred are remembered, and none beyond a restart.

    Args:
        lease: Gives the server that statements run on, for as long as it is in use.
    """

    def __init__(self, lease: Callable[[], AbstractContextManager[SparkServer]]) -> None:
        self._lease = lease
        self._statements: OrderedDict[str, Statement] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, statement: Statement) -> None:
        with self._lock:
            self._statements[statement.statement_id] = statement
            while len(self._statements) > _REMEMBERED:
                self._statements.popitem(last=False)
        threading.Thread(target=self._run, args=[statement], name="statement", daemon=True).start()

    def get(self, statement_id: str) -> Statement:
        found = self._statements.get(statement_id)
        if found is None:
            raise not_found(f"Statement {statement_id} does not exist, or is no longer remembered")
        return found

    def cancel(self, statement_id: str) -> None:
        statement = self.get(statement_id)
        statement.end("CANCELED")
        if statement.query is not None:
            statement.query.interrupt()

    def _run(self, statement: Statement) -> None:
        try:
            with self._lease() as server:
                if not statement.ended.is_set():
                    self._ask(statement, server)
        except LocalCloudError as error:
            statement.end("FAILED", error=str(error), error_code="TEMPORARILY_UNAVAILABLE")
        except Exception as error:
            log.exception("a statement broke the engine")
            message = f"The local workspace failed: {type(error).__name__}: {error}"
            statement.end("FAILED", error=message, error_code="INTERNAL_ERROR")

    @staticmethod
    def _ask(statement: Statement, server: SparkServer) -> None:
        from localcloud.databricks.engine.query import Query

        statement.query = query = Query(server.remote_with_token())
        statement.state = "RUNNING" if not statement.ended.is_set() else statement.state
        try:
            rows = query.run(statement.text, statement.parameters, statement.schema, statement.row_limit)
        except QueryError as error:
            statement.end("FAILED", error=str(error), error_code="BAD_REQUEST", sql_state=error.sql_state)
        else:
            _finish(statement, rows)
        finally:
            query.close()


def _finish(statement: Statement, rows: Rows) -> None:
    if rows.size > _MOST_INLINE_BYTES:
        message = f"Inline byte limit exceeded: a result may have {_MOST_INLINE_BYTES} bytes and has {rows.size}"
        statement.end("FAILED", error=message, error_code="BAD_REQUEST")
    else:
        statement.end("SUCCEEDED", rows=rows)
