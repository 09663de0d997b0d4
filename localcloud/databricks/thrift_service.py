"""Databricks SQL's Thrift protocol, which databricks-sql-connector speaks. Slow to import, so imported when asked.

Structures and names are those of the connector itself.
"""

import functools
import struct
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import TCLIService, ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TException
from thrift.transport.TTransport import TMemoryBuffer

from localcloud.databricks.engine.sql_sessions import Execution, SqlSession, SqlSessions, UnknownHandleError
from localcloud.databricks.engine.statement import Parameter, QueryError
from localcloud.databricks.errors import ApiError
from localcloud.errors import LocalCloudError

_VERSION = ttypes.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V7
_CATALOGS = (None, "", "spark_catalog", "hive_metastore")
# A client that asks how far a statement is asks again at once: so the answer waits a while for the end.
_LONGEST_WAIT_SECONDS = 5.0
_STATES = {
    "RUNNING": ttypes.TOperationState.RUNNING_STATE,
    "FINISHED": ttypes.TOperationState.FINISHED_STATE,
    "CANCELED": ttypes.TOperationState.CANCELED_STATE,
    "ERROR": ttypes.TOperationState.ERROR_STATE,
}
_TYPES: tuple[tuple[Callable[[pa.DataType], bool], int], ...] = (
    (pa.types.is_boolean, ttypes.TTypeId.BOOLEAN_TYPE),
    (pa.types.is_int8, ttypes.TTypeId.TINYINT_TYPE),
    (pa.types.is_int16, ttypes.TTypeId.SMALLINT_TYPE),
    (pa.types.is_int32, ttypes.TTypeId.INT_TYPE),
    (pa.types.is_int64, ttypes.TTypeId.BIGINT_TYPE),
    (pa.types.is_float32, ttypes.TTypeId.FLOAT_TYPE),
    (pa.types.is_float64, ttypes.TTypeId.DOUBLE_TYPE),
    (pa.types.is_decimal, ttypes.TTypeId.DECIMAL_TYPE),
    (pa.types.is_date, ttypes.TTypeId.DATE_TYPE),
    (pa.types.is_timestamp, ttypes.TTypeId.TIMESTAMP_TYPE),
    (pa.types.is_binary, ttypes.TTypeId.BINARY_TYPE),
    (pa.types.is_list, ttypes.TTypeId.ARRAY_TYPE),
    (pa.types.is_map, ttypes.TTypeId.MAP_TYPE),
    (pa.types.is_struct, ttypes.TTypeId.STRUCT_TYPE),
    (pa.types.is_null, ttypes.TTypeId.NULL_TYPE),
)

Method = TypeVar("Method", bound=Callable[..., Any])


def answer(sessions: SqlSessions, cluster_id: Callable[[], str], request: bytes) -> bytes:
    """What the service says to one message.

    Args:
        sessions: Where sessions are kept.
        cluster_id: The cluster on which a new session begins.
        request: The message.

    Raises:
        ApiError: It is none of the protocol's.
    """
    said = TMemoryBuffer()
    limits = {"string_length_limit": len(request), "container_length_limit": len(request)}
    try:
        processor = TCLIService.Processor(_Service(sessions, cluster_id))
        processor.process(TBinaryProtocol(TMemoryBuffer(request), **limits), TBinaryProtocol(said))
    except (TException, EOFError, ValueError, TypeError, struct.error) as error:
        raise ApiError(400, "MALFORMED_REQUEST", f"a Thrift message is required: {type(error).__name__}") from None
    return bytes(said.getvalue())


def _refusing(response: type) -> Callable[[Method], Method]:
    """Has a method answer with a status, and not with a broken connection, where something is refused."""

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def refusing(*arguments: Any) -> Any:
            try:
                return method(*arguments)
            except UnknownHandleError as error:
                return response(_status("INVALID_HANDLE_STATUS", str(error)))
            except QueryError as error:
                return response(_status("ERROR_STATUS", str(error), error.sql_state))
            except (LocalCloudError, ValueError) as error:
                return response(_status("ERROR_STATUS", str(error)))

        return refusing  # type: ignore[return-value]

    return decorate


class _Service(TCLIService.Iface):  # type: ignore[misc]
    """What the protocol has a method for; others are an exception that says so."""

    def __init__(self, sessions: SqlSessions, cluster_id: Callable[[], str]) -> None:
        self._sessions = sessions
        self._cluster_id = cluster_id

    @_refusing(ttypes.TOpenSessionResp)
    def OpenSession(self, req: Any) -> Any:  # noqa: N802 - the protocol's name, like those below
        namespace = req.initialNamespace or ttypes.TNamespace()
        if namespace.catalogName not in _CATALOGS:
            raise LocalCloudError(f"there is one catalog locally, spark_catalog; found {namespace.catalogName}")
        session = self._sessions.open(self._cluster_id(), namespace.schemaName, req.configuration or {})
        return ttypes.TOpenSessionResp(
            status=_OK,
            serverProtocolVersion=_VERSION,
            sessionHandle=ttypes.TSessionHandle(_identifier(session.session_id), _VERSION),
            initialNamespace=req.initialNamespace,
            canUseMultipleCatalogs=True,
        )

    @_refusing(ttypes.TCloseSessionResp)
    def CloseSession(self, req: Any) -> Any:  # noqa: N802
        self._sessions.close(req.sessionHandle.sessionId.guid)
        return ttypes.TCloseSessionResp(_OK)

    @_refusing(ttypes.TExecuteStatementResp)
    def ExecuteStatement(self, req: Any) -> Any:  # noqa: N802
        session = self._sessions.get(req.sessionHandle.sessionId.guid)
        parameters = [_parameter(given) for given in req.parameters or []]
        if not req.canReadArrowResult:
            raise LocalCloudError("results come as Arrow only: a client is required that reads it, e.g. with pyarrow")
        execution = session.execute(req.statement, parameters, req.resultRowLimit)
        handle = ttypes.TOperationHandle(
            _identifier(execution.execution_id), ttypes.TOperationType.EXECUTE_STATEMENT, hasResultSet=True
        )
        wanted = req.getDirectResults
        direct = _direct_results(session, execution, wanted.maxRows) if wanted else None
        return ttypes.TExecuteStatementResp(_OK, handle, direct)

    @_refusing(ttypes.TGetOperationStatusResp)
    def GetOperationStatus(self, req: Any) -> Any:  # noqa: N802
        _, execution = self._find(req)
        execution.ended.wait(_LONGEST_WAIT_SECONDS)
        return _operation_status(execution)

    @_refusing(ttypes.TGetResultSetMetadataResp)
    def GetResultSetMetadata(self, req: Any) -> Any:  # noqa: N802
        return _metadata(self._find(req)[1].rows())

    @_refusing(ttypes.TFetchResultsResp)
    def FetchResults(self, req: Any) -> Any:  # noqa: N802
        return _rows(self._find(req)[1], req.maxRows)

    @_refusing(ttypes.TCloseOperationResp)
    def CloseOperation(self, req: Any) -> Any:  # noqa: N802
        session, execution = self._find(req)
        session.forget(execution)
        return ttypes.TCloseOperationResp(_OK)

    @_refusing(ttypes.TCancelOperationResp)
    def CancelOperation(self, req: Any) -> Any:  # noqa: N802
        session, execution = self._find(req)
        session.cancel(execution)
        return ttypes.TCancelOperationResp(_OK)

    def _find(self, req: Any) -> tuple[SqlSession, Execution]:
        return self._sessions.find(req.operationHandle.operationId.guid)


def _status(code: str, message: str = "", sql_state: str = "") -> Any:
    said = {"errorMessage": message, "displayMessage": message, "sqlState": sql_state or None} if message else {}
    return ttypes.TStatus(getattr(ttypes.TStatusCode, code), **said)


_OK = _status("SUCCESS_STATUS")


def _identifier(guid: bytes) -> Any:
    return ttypes.THandleIdentifier(guid, uuid.uuid4().bytes)


def _parameter(given: Any) -> Parameter:
    if not given.name:
        raise LocalCloudError("parameters are required to have names, as in :name; found one that goes by its place")
    value = given.value and given.value.stringValue
    return Parameter(given.name, value, "STRING" if given.type == "VOID" else given.type)


def _direct_results(session: SqlSession, execution: Execution, count: int) -> Any:
    """All that the client would ask for next, as far as it is there by now."""
    execution.ended.wait(_LONGEST_WAIT_SECONDS)
    status = _operation_status(execution)
    if execution.table is None:
        return ttypes.TSparkDirectResults(status)
    rows = _rows(execution, count)
    closed = None
    if not rows.hasMoreRows:
        session.forget(execution)
        closed = ttypes.TCloseOperationResp(_OK)
    return ttypes.TSparkDirectResults(status, _metadata(execution.table), rows, closed)


def _operation_status(execution: Execution) -> Any:
    return ttypes.TGetOperationStatusResp(
        status=_OK,
        operationState=_STATES[execution.state],
        sqlState=execution.sql_state or None,
        errorMessage=execution.error or None,
        displayMessage=execution.error or None,
        hasResultSet=True,
    )


def _metadata(table: pa.Table) -> Any:
    columns = [
        ttypes.TColumnDesc(field.name, ttypes.TTypeDesc([ttypes.TTypeEntry(_type(field.type))]), position)
        for position, field in enumerate(table.schema, start=1)
    ]
    return ttypes.TGetResultSetMetadataResp(
        status=_OK,
        schema=ttypes.TTableSchema(columns),
        resultFormat=ttypes.TSparkRowSetType.ARROW_BASED_SET,
        lz4Compressed=False,
        arrowSchema=table.schema.serialize().to_pybytes(),
        isStagingOperation=False,
    )


def _type(kind: pa.DataType) -> Any:
    found = next((type_id for is_it, type_id in _TYPES if is_it(kind)), ttypes.TTypeId.STRING_TYPE)
    if found != ttypes.TTypeId.DECIMAL_TYPE:
        return ttypes.TPrimitiveTypeEntry(found)
    sizes = {"precision": kind.precision, "scale": kind.scale}
    qualifiers = {name: ttypes.TTypeQualifierValue(i32Value=size) for name, size in sizes.items()}
    return ttypes.TPrimitiveTypeEntry(found, ttypes.TTypeQualifiers(qualifiers))


def _rows(execution: Execution, count: int) -> Any:
    table = execution.rows()
    first, rows = execution.fetch(count)
    batches = [ttypes.TSparkArrowBatch(batch.serialize().to_pybytes(), batch.num_rows) for batch in rows.to_batches()]
    return ttypes.TFetchResultsResp(
        status=_OK,
        hasMoreRows=first + len(rows) < len(table),
        results=ttypes.TRowSet(startRowOffset=first, rows=[], arrowBatches=batches),
        resultSetMetadata=_metadata(table),
    )
