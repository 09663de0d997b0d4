"""SQL statements through databricks-sdk and the Airflow provider, on a real cluster; refusals need none."""

from typing import Any

import pytest
from airflow.providers.databricks.operators.databricks import DatabricksSQLStatementsOperator
from databricks.sdk.errors import InvalidParameterValue, NotFound
from databricks.sdk.service.sql import (
    Disposition,
    ExecuteStatementRequestOnWaitTimeout,
    State,
    StatementParameterListItem,
    StatementResponse,
    StatementState,
)

from tests.localcloud.databricks.server import Server
from tests.localcloud.waiting import wait_until

TYPES = """\
SELECT 1 AS i, CAST(12.50 AS DECIMAL(10,2)) AS d, 'x' AS s, true AS b, DATE'2026-01-31' AS day,
  TIMESTAMP'2026-01-31 10:15:00' AS at, array(1, 2) AS a, named_struct('k', 1) AS k, X'00ff' AS raw, NULL AS nothing
"""
WAREHOUSE = "local"


def state(answer: StatementResponse) -> StatementState | None:
    assert answer.status is not None
    return answer.status.state


def execute(server: Server, statement: str, **more: Any) -> StatementResponse:
    """Runs a statement to its end."""
    statements = server.client.statement_execution
    answer = statements.execute_statement(statement=statement, warehouse_id=WAREHOUSE, wait_timeout="0s", **more)
    found = [answer]

    def has_ended() -> bool:
        found[0] = statements.get_statement(answer.statement_id or "")
        return state(found[0]) not in (StatementState.PENDING, StatementState.RUNNING)

    wait_until(has_ended, limit=300)
    return found[0]


def data(answer: StatementResponse) -> list[list[str]]:
    assert state(answer) is StatementState.SUCCEEDED, answer.status
    assert answer.result is not None
    return answer.result.data_array or []


def test_every_value_comes_as_text_under_its_type(workspace: Server) -> None:
    answer = execute(workspace, TYPES)
    values = ["1", "12.50", "x", "true", "2026-01-31", "2026-01-31T10:15:00.000Z", "[1,2]", '{"k":1}', "AP8=", None]
    assert data(answer) == [values]
    assert answer.manifest is not None
    assert answer.manifest.schema is not None
    columns = [(each.name, each.type_text) for each in answer.manifest.schema.columns or []]
    assert columns[:3] == [("i", "INT"), ("d", "DECIMAL(10,2)"), ("s", "STRING")]
    assert (answer.manifest.total_row_count, answer.manifest.truncated) == (1, False)


def test_parameters_are_values_and_never_part_of_the_statement(workspace: Server) -> None:
    parameters = [
        StatementParameterListItem("word", type="STRING", value="x' OR 1=1 --"),
        StatementParameterListItem("number", type="INT", value="4"),
        StatementParameterListItem("day", type="DATE", value="2026-01-31"),
        StatementParameterListItem("price", type="DECIMAL(10,2)", value="12.50"),
        StatementParameterListItem("at", type="TIMESTAMP", value="2026-01-31T10:15:00"),
        StatementParameterListItem("nothing", type="DATE", value=None),
    ]
    answer = execute(workspace, "SELECT :word, :number + 1, :day + 1, :price, :at, :nothing", parameters=parameters)
    assert data(answer) == [["x' OR 1=1 --", "5", "2026-02-01", "12.50", "2026-01-31T10:15:00.000Z", None]]


def test_a_limit_leaves_rows_out_and_says_so(workspace: Server) -> None:
    answer = execute(workspace, "SELECT id AS same, id * 2 AS same FROM range(5)", row_limit=2)
    assert data(answer) == [["0", "0"], ["1", "2"]]
    assert answer.manifest is not None
    assert answer.manifest.truncated is True
    chunk = workspace.client.statement_execution.get_statement_result_chunk_n(answer.statement_id or "", 0)
    assert chunk.data_array == [["0", "0"], ["1", "2"]]


def test_a_schema_is_where_names_are_looked_for(workspace: Server) -> None:
    execute(workspace, "CREATE OR REPLACE VIEW gold.of_statements AS SELECT 7 AS n")
    assert data(execute(workspace, "SELECT n FROM of_statements", schema="gold")) == [["7"]]


def test_a_refused_statement_fails_with_the_word_of_spark(workspace: Server) -> None:
    answer = execute(workspace, "SELEC 1")
    assert answer.status is not None
    assert answer.status.error is not None
    assert answer.status.error.error_code is not None
    assert (answer.status.state, answer.status.error.error_code.value) == (StatementState.FAILED, "BAD_REQUEST")
    assert (answer.status.error.message or "").startswith("[PARSE_SYNTAX_ERROR]")
    assert "\tat " not in (answer.status.error.message or "")
    assert answer.status.sql_state == "42601"


def test_a_statement_that_takes_too_long_is_cancelled(workspace: Server) -> None:
    execute(workspace, "SELECT 1")  # the cluster is up
    answer = workspace.client.statement_execution.execute_statement(
        statement="SELECT count(*) FROM range(1000000000000)",
        warehouse_id=WAREHOUSE,
        wait_timeout="5s",
        on_wait_timeout=ExecuteStatementRequestOnWaitTimeout.CANCEL,
    )
    assert state(answer) is StatementState.CANCELED
    assert data(execute(workspace, "SELECT 2")) == [["2"]]  # and the cluster is free again


@pytest.mark.usefixtures("connection")
def test_the_operator_of_the_provider_runs_a_statement(workspace: Server) -> None:
    operator = DatabricksSQLStatementsOperator(
        task_id="sql",
        statement="SELECT :n + 1",
        warehouse_id=WAREHOUSE,
        parameters=[{"name": "n", "value": 5, "type": "INT"}],
        polling_period_seconds=1,
        do_xcom_push=False,
        include_airflow_query_tags=False,
    )
    operator.execute({})
    assert operator.statement_id is not None
    found = workspace.client.statement_execution.get_statement(operator.statement_id)
    assert data(found) == [["6"]]


def test_there_is_one_warehouse(light: Server) -> None:
    # Of several running clusters the next would be the warehouse when one is stopped.
    for cluster in light.client.clusters.list():
        light.client.clusters.delete(cluster.cluster_id or "")
    warehouses = light.client.warehouses
    assert [(each.id, each.name) for each in warehouses.list()] == [(WAREHOUSE, "Local warehouse")]
    warehouses.start(WAREHOUSE)
    wait_until(lambda: warehouses.get(WAREHOUSE).state is State.RUNNING, limit=120)
    warehouses.stop(WAREHOUSE)
    assert warehouses.get(WAREHOUSE).state is State.STOPPED
    with pytest.raises(NotFound, match="SQL warehouse other does not exist; there is one, local"):
        warehouses.get("other")


def test_statements_that_nobody_knows_are_not_found(light: Server) -> None:
    with pytest.raises(NotFound, match="Statement no-such does not exist"):
        light.client.statement_execution.get_statement("no-such")
    with pytest.raises(NotFound, match="Statement no-such does not exist"):
        light.client.statement_execution.cancel_execution("no-such")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"wait_timeout": "4s"}, "wait_timeout: Value error, must be 0s, or 5s to 50s, found 4s"),
        ({"disposition": Disposition.EXTERNAL_LINKS}, "results come INLINE as JSON_ARRAY only"),
        ({"catalog": "main"}, "there is one catalog locally, spark_catalog; found main"),
        ({"parameters": [StatementParameterListItem("a", "INT) OR (1", "1")]}, "must have one of the types STRING"),
        ({"parameters": [StatementParameterListItem("a", "INT", "one")]}, "a must be of type INT, found 'one'"),
        ({"parameters": [StatementParameterListItem("a", "BOOLEAN", "1")]}, "a must be of type BOOLEAN, found '1'"),
    ],
)
def test_what_cannot_be_done_is_refused(light: Server, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterValue) as refused:
        light.client.statement_execution.execute_statement(statement="SELECT 1", warehouse_id=WAREHOUSE, **settings)
    assert message in str(refused.value)
