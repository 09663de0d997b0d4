"""SQL statements and the one warehouse that they run on: `sql/statements/*`, `sql/warehouses/*`."""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BeforeValidator, Field, model_validator

from localcloud.databricks.engine.statement import Parameter
from localcloud.databricks.engine.statements import Statement
from localcloud.databricks.errors import not_found
from localcloud.databricks.payloads.base import Payload, Text
from localcloud.databricks.routes.common import Current
from localcloud.databricks.run_views import CREATOR
from localcloud.databricks.workspace import Workspace
from localcloud.home import WAREHOUSE, WAREHOUSE_PATH
from localcloud.ports import HOST

router = APIRouter(prefix="/api/2.0/sql")
_LONGEST_WAIT, _SHORTEST_WAIT = 50, 5


def _seconds(text: object) -> int:
    """`10s` as a number; nothing, or 5 to 50 seconds."""
    found = re.fullmatch(r"(\d{1,2})s", str(text))
    seconds = int(found[1]) if found else -1
    if seconds != 0 and not _SHORTEST_WAIT <= seconds <= _LONGEST_WAIT:
        raise ValueError(f"must be 0s, or {_SHORTEST_WAIT}s to {_LONGEST_WAIT}s, found {text}")
    return seconds


class StatementParameter(Payload):
    name: str
    value: Text | None = None
    type: str = "STRING"

    @model_validator(mode="after")
    def _possible(self) -> "StatementParameter":
        self.as_parameter()
        return self

    def as_parameter(self) -> Parameter:
        return Parameter(self.name, self.value, self.type)


class Execute(Payload):
    statement: str = Field(min_length=1, max_length=16 * 1024 * 1024)
    warehouse_id: str
    db_schema: str | None = Field(default=None, alias="schema")
    catalog: str | None = None
    parameters: list[StatementParameter] | None = None
    row_limit: int | None = Field(default=None, ge=1, lt=2**31)
    wait_timeout: Annotated[int, BeforeValidator(_seconds)] = 10
    on_wait_timeout: Literal["CONTINUE", "CANCEL"] | None = None
    disposition: Literal["INLINE", "EXTERNAL_LINKS"] | None = None
    format: Literal["JSON_ARRAY", "ARROW_STREAM", "CSV"] | None = None

    @model_validator(mode="after")
    def _possible(self) -> "Execute":
        if self.disposition == "EXTERNAL_LINKS" or self.format in ("ARROW_STREAM", "CSV"):
            raise ValueError("results come INLINE as JSON_ARRAY only: leave disposition and format out")
        if self.catalog not in (None, "", "spark_catalog", "hive_metastore"):
            raise ValueError(f"there is one catalog locally, spark_catalog; found {self.catalog}")
        return self

    def as_statement(self) -> Statement:
        parameters = [each.as_parameter() for each in self.parameters or []]
        return Statement(self.statement, parameters, self.db_schema, self.row_limit)


@router.post("/statements")
@router.post("/statements/", include_in_schema=False)
def execute(payload: Execute, workspace: Current) -> dict[str, Any]:
    """Waits for the result as long as it is asked to; then the statement goes on, or is cancelled."""
    check_warehouse(payload.warehouse_id)
    statement = payload.as_statement()
    workspace.statements.start(statement)
    in_time = statement.ended.wait(payload.wait_timeout)
    if not in_time and payload.on_wait_timeout == "CANCEL":
        workspace.statements.cancel(statement.statement_id)
    return _view(statement)


@router.get("/statements/{statement_id}")
def get(statement_id: str, workspace: Current) -> dict[str, Any]:
    return _view(workspace.statements.get(statement_id))


@router.post("/statements/{statement_id}/cancel")
def cancel(statement_id: str, workspace: Current) -> dict[str, Any]:
    workspace.statements.cancel(statement_id)
    return {}


@router.get("/statements/{statement_id}/result/chunks/{chunk_index}")
def get_chunk(statement_id: str, chunk_index: int, workspace: Current) -> dict[str, Any]:
    """A result has one chunk."""
    statement = workspace.statements.get(statement_id)
    if chunk_index != 0 or statement.state != "SUCCEEDED":
        raise not_found(f"Statement {statement_id} has no chunk {chunk_index}")
    return _chunk(statement)


@router.get("/warehouses")
def list_warehouses(workspace: Current) -> dict[str, Any]:
    return {"warehouses": [_warehouse(workspace)]}


@router.get("/warehouses/{warehouse_id}")
def get_warehouse(warehouse_id: str, workspace: Current) -> dict[str, Any]:
    check_warehouse(warehouse_id)
    return _warehouse(workspace)


@router.post("/warehouses/{warehouse_id}/start")
def start_warehouse(warehouse_id: str, workspace: Current) -> dict[str, Any]:
    check_warehouse(warehouse_id)
    workspace.clusters.start_in_background(workspace.usual_cluster.find())
    return {}


@router.post("/warehouses/{warehouse_id}/stop")
def stop_warehouse(warehouse_id: str, workspace: Current) -> dict[str, Any]:
    check_warehouse(warehouse_id)
    workspace.clusters.stop(workspace.usual_cluster.find())
    return {}


def check_warehouse(warehouse_id: str) -> None:
    if warehouse_id != WAREHOUSE:
        raise not_found(f"SQL warehouse {warehouse_id} does not exist; there is one, {WAREHOUSE}")


def _warehouse(workspace: Workspace) -> dict[str, Any]:
    """The cluster that SQL is asked of, as a warehouse."""
    cluster = workspace.clusters.get(workspace.usual_cluster.find())
    state = {"RUNNING": "RUNNING", "PENDING": "STARTING", "RESTARTING": "STARTING"}.get(cluster.state, "STOPPED")
    own = {"id": WAREHOUSE, "name": "Local warehouse", "cluster_size": "2X-Small", "state": state}
    address = {"hostname": HOST, "port": workspace.home.port("workspace"), "path": WAREHOUSE_PATH, "protocol": "http"}
    about = {"warehouse_type": "PRO", "creator_name": CREATOR, "odbc_params": address}
    return {**own, "num_clusters": int(state == "RUNNING"), **about}


def _view(statement: Statement) -> dict[str, Any]:
    status: dict[str, Any] = {"state": statement.state}
    if statement.state == "FAILED":
        status |= {"error": {"error_code": statement.error_code, "message": statement.error}}
        status |= {"sql_state": statement.sql_state} if statement.sql_state else {}
    result = {"manifest": _manifest(statement), "result": _chunk(statement)} if statement.state == "SUCCEEDED" else {}
    return {"statement_id": statement.statement_id, "status": status, **result}


def _manifest(statement: Statement) -> dict[str, Any]:
    rows = statement.rows
    return {
        "format": "JSON_ARRAY",
        "schema": {"column_count": len(rows.columns), "columns": rows.columns},
        "total_chunk_count": 1,
        "total_row_count": len(rows.data),
        "total_byte_count": rows.size,
        "truncated": rows.truncated,
        "chunks": [{"chunk_index": 0, "row_offset": 0, "row_count": len(rows.data)}],
    }


def _chunk(statement: Statement) -> dict[str, Any]:
    data = statement.rows.data
    return {"chunk_index": 0, "row_offset": 0, "row_count": len(data), "data_array": data}
