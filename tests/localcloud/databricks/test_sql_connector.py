"""databricks-sql-connector, and with it the provider's SQL operators, unmodified."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from airflow.providers.databricks.operators.databricks_sql import DatabricksSqlOperator
from airflow.providers.databricks.sensors.databricks_sql import DatabricksSqlSensor
from databricks import sql

from localcloud.airflow.config import environment
from localcloud.home import WAREHOUSE_PATH
from tests.localcloud.databricks.server import Server, context


def connect(server: Server, **options: Any) -> Any:
    return sql.connect(
        server_hostname="127.0.0.1",
        http_path=WAREHOUSE_PATH,
        access_token=options.pop("access_token", server.token),
        _connection_uri=f"{server.url}{options.pop('path', WAREHOUSE_PATH)}",
        enable_telemetry=False,
        **options,
    )


@pytest.fixture(scope="module")
def connection(workspace: Server) -> Iterator[Any]:
    with connect(workspace) as connection:
        yield connection


def rows(connection: Any, statement: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return [tuple(row) for row in cursor.execute(statement, parameters).fetchall()]


def test_values_come_in_their_types_and_columns_with_theirs(connection: Any) -> None:
    statement = """
        SELECT 1 AS whole, 2L AS big, CAST(1.5 AS DECIMAL(10, 2)) AS money, 0.5D AS half, 'x' AS text, true AS yes,
            DATE'2026-01-31' AS day, TIMESTAMP'2026-01-31 10:15:00' AS moment, X'00FF' AS bytes, NULL AS nothing,
            array(1, 2) AS many, 'twice' AS text
    """
    with connection.cursor() as cursor:
        (row,) = cursor.execute(statement).fetchall()
        names = [(name, kind, precision, scale) for name, kind, _, _, precision, scale, _ in cursor.description]
    moment = dt.datetime(2026, 1, 31, 10, 15, tzinfo=dt.UTC)
    day = dt.date(2026, 1, 31)
    assert list(row)[:10] == [1, 2, Decimal("1.50"), 0.5, "x", True, day, moment, b"\x00\xff", None]
    assert (list(row[10]), row[11]) == ([1, 2], "twice")
    assert names == [
        ("whole", "int", None, None),
        ("big", "bigint", None, None),
        ("money", "decimal", 10, 2),
        ("half", "double", None, None),
        ("text", "string", None, None),
        ("yes", "boolean", None, None),
        ("day", "date", None, None),
        ("moment", "timestamp", None, None),
        ("bytes", "binary", None, None),
        ("nothing", "null", None, None),
        ("many", "array", None, None),
        ("text", "string", None, None),
    ]


def test_rows_come_in_portions(connection: Any) -> None:
    with connection.cursor(arraysize=1_000) as cursor:
        cursor.execute("SELECT id FROM range(2500) ORDER BY id")
        assert [row.id for row in cursor.fetchmany(1_200)] == list(range(1_200))
        assert [row.id for row in cursor.fetchall()] == list(range(1_200, 2_500))
        assert cursor.fetchone() is None


def test_named_parameters_are_bound(connection: Any) -> None:
    given = {"whole": 3, "text": "it's", "none": None, "day": dt.date(2026, 1, 31), "money": Decimal("9.99")}
    assert rows(connection, "SELECT :whole + 1, :text, :none, :day, :money", given) == [
        (4, "it's", None, dt.date(2026, 1, 31), Decimal("9.99"))
    ]


def test_a_session_keeps_what_its_statements_left_and_shares_it_with_none(workspace: Server, connection: Any) -> None:
    rows(connection, "CREATE OR REPLACE TEMP VIEW of_session AS SELECT 7 AS seven")
    assert rows(connection, "SELECT seven FROM of_session") == [(7,)]
    with connect(workspace) as other, pytest.raises(sql.exc.ServerOperationError, match="TABLE_OR_VIEW_NOT_FOUND"):
        rows(other, "SELECT seven FROM of_session")


def test_a_session_begins_with_its_schema_and_settings(workspace: Server, connection: Any) -> None:
    rows(connection, "CREATE SCHEMA IF NOT EXISTS of_connector")
    settings = {"spark.sql.ansi.enabled": "false"}
    with connect(workspace, schema="of_connector", session_configuration=settings) as other:
        assert rows(other, "SELECT current_schema(), CAST('x' AS int)") == [("of_connector", None)]


def test_statements_without_rows_and_those_that_write(connection: Any) -> None:
    rows(connection, "DROP TABLE IF EXISTS default.of_connector")
    assert rows(connection, "CREATE TABLE default.of_connector (id int, v string) USING delta") == []
    rows(connection, "INSERT INTO default.of_connector VALUES (1, 'test 1'), (2, 'test 2')")
    assert rows(connection, "SELECT * FROM default.of_connector ORDER BY id") == [(1, "test 1"), (2, "test 2")]
    rows(connection, "DROP TABLE default.of_connector")


@pytest.mark.parametrize(
    ("statement", "parameters", "message"),
    [
        ("SELECT nothing", None, r"UNRESOLVED_COLUMN"),
        ("SELEC 1", None, r"PARSE_SYNTAX_ERROR"),
        ("SELECT :a", {"b": 1}, r"UNBOUND_SQL_PARAMETER.*a"),
    ],
)
def test_what_spark_refuses_says_why(
    connection: Any, statement: str, parameters: dict[str, Any] | None, message: str
) -> None:
    with pytest.raises(sql.exc.ServerOperationError, match=message):
        rows(connection, statement, parameters)


def test_a_statement_is_cancelled(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute_async("SELECT count(*) FROM range(1000000000000)")
        cursor.cancel()
        with pytest.raises(sql.exc.Error):
            cursor.get_async_execution_result()
    assert rows(connection, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"catalog": "main"}, "there is one catalog locally, spark_catalog; found main"),
        ({"schema": "nowhere"}, "SCHEMA_NOT_FOUND"),
    ],
)
def test_a_session_that_cannot_be_says_why(workspace: Server, options: dict[str, Any], message: str) -> None:
    with pytest.raises(sql.exc.Error, match=message):
        connect(workspace, **options)


@pytest.mark.parametrize(
    ("options", "status"), [({"access_token": "dapi-wrong"}, 401), ({"path": "/sql/1.0/warehouses/other"}, 404)]
)
def test_who_may_not_or_goes_astray_is_told_at_once(workspace: Server, options: dict[str, Any], status: int) -> None:
    with pytest.raises(sql.exc.RequestError) as refused:
        connect(workspace, **options)
    assert refused.value.context["http-code"] == status


@pytest.mark.parametrize("body", [b"", b"no thrift", b"\x80\x01\x00\x01\x7f\xff\xff\xff", b"\x80\x01\x00\x01"])
def test_what_is_no_message_of_the_protocol_is_refused(light: Server, body: bytes) -> None:
    with light.http() as http:
        answer = http.post(WAREHOUSE_PATH, content=body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "MALFORMED_REQUEST")
    assert httpx.post(f"{light.url}{WAREHOUSE_PATH}", content=body).status_code == 401


@pytest.fixture
def airflow_connection_id(workspace: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """As `localcloud env` exports it."""
    monkeypatch.setenv("AIRFLOW_CONN_WITH_SQL", environment(workspace.home)["AIRFLOW_CONN_DATABRICKS_DEFAULT"])
    return "with_sql"


def test_the_providers_operators_run_statements(airflow_connection_id: str, tmp_path: Path) -> None:
    def operator(task_id: str, **options: Any) -> DatabricksSqlOperator:
        return DatabricksSqlOperator(
            task_id=task_id,
            databricks_conn_id=airflow_connection_id,
            sql_endpoint_name="Local warehouse",
            **options,
        )

    table = "default.of_operator"
    statements = [
        f"drop table if exists {table}",
        f"create table {table} (id int, v string) using delta",
        f"insert into {table} values (1, 'test 1'), (2, 'test 2')",
    ]
    operator("create", sql=statements).execute(context())
    file = tmp_path / "1.jsonl"
    operator("select", sql=f"select * from {table} order by id", output_path=str(file), output_format="jsonl").execute(
        context()
    )
    assert file.read_text().splitlines() == ['{"id": 1, "v": "test 1"}', '{"id": 2, "v": "test 2"}']
    sensor = DatabricksSqlSensor(
        task_id="sensor",
        databricks_conn_id=airflow_connection_id,
        sql_warehouse_name="Local warehouse",
        sql=f"select * from {table} limit 1",
    )
    assert sensor.poke(context()) is True
    operator("drop", sql=f"drop table {table}").execute(context())
