"""The Airflow provider, unmodified, against the workspace."""

import asyncio
import json
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException
from airflow.providers.databricks.hooks.databricks import DatabricksHook
from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator
from airflow.providers.databricks.triggers.databricks import DatabricksExecutionTrigger

from tests.localcloud.databricks.server import CLUSTER, WHEEL, Server, step


def operator(entry_point: str, connection: str, **settings: Any) -> DatabricksSubmitRunOperator:
    return DatabricksSubmitRunOperator(
        task_id=entry_point,
        databricks_conn_id=connection,
        json={"python_wheel_task": {"package_name": "steps", "entry_point": entry_point, "parameters": [1, "two"]}},
        new_cluster=CLUSTER.as_dict(),
        libraries=[{"whl": WHEEL}],
        polling_period_seconds=1,
        do_xcom_push=False,
        **settings,
    )


def test_operator_runs_a_step_to_its_end(workspace: Server, connection: str) -> None:
    submitted = operator("count_rows", connection, timeout_seconds=600)
    submitted.execute({})
    hook = DatabricksHook(connection)
    assert submitted.run_id is not None
    assert hook.get_run_state(submitted.run_id).is_successful
    assert hook.get_run_page_url(submitted.run_id) == f"{workspace.url}/runs/{submitted.run_id}"
    assert hook.get_run_output(submitted.run_id)["logs"].splitlines()[0] == "arguments ['1', 'two']"


def test_operator_fails_with_what_the_step_said(connection: str) -> None:
    with pytest.raises(AirflowException, match="ValueError: the month has no day 32"):
        operator("fail", connection).execute({})


def test_hook_asks_for_what_is_not_there(connection: str) -> None:
    hook = DatabricksHook(connection)
    with pytest.raises(AirflowException, match=r"Run 987654 does not exist\."):
        hook.get_run(987654)
    assert hook.find_job_id_by_name("no such job") is None


def test_trigger_sees_the_end_of_a_run_that_failed_before_it_looked(workspace: Server, connection: str) -> None:
    run_id = workspace.run(step("fail")).run_id or 0
    event = asyncio.run(_first_event(DatabricksExecutionTrigger(run_id, connection, polling_period_seconds=1)))
    assert json.loads(event["run_state"])["result_state"] == "FAILED"
    assert [error["error"] for error in event["errors"]] == ["ValueError: the month has no day 32"]


async def _first_event(trigger: DatabricksExecutionTrigger) -> dict[str, Any]:
    events = [event async for event in trigger.run()]  # type: ignore[no-untyped-call]
    payload: dict[str, Any] = events[0].payload
    return payload
