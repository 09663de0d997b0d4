"""Databricks SQL for databricks-sql-connector: `/sql/1.0/warehouses/{id}`."""

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from localcloud.databricks.routes.common import Current
from localcloud.databricks.routes.statements import check_warehouse
from localcloud.databricks.strict_bodies import bounded_body
from localcloud.databricks.workspace import Workspace
from localcloud.home import WAREHOUSE, WAREHOUSE_PATH

router = APIRouter(include_in_schema=False)
_THRIFT = "application/x-thrift"


@router.post(WAREHOUSE_PATH.replace(WAREHOUSE, "{warehouse_id}"))
async def call(warehouse_id: str, request: Request, workspace: Current) -> Response:
    check_warehouse(warehouse_id)
    body = await bounded_body(request)
    return Response(await run_in_threadpool(_answer, workspace, body), media_type=_THRIFT)


def _answer(workspace: Workspace, body: bytes) -> bytes:
    from localcloud.databricks.thrift_service import answer

    return answer(workspace.sql_sessions, workspace.usual_cluster.find, body)
