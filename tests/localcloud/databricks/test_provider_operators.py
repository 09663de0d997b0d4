"""The Airflow provider's operators for notebooks, tasks and jobs, unmodified."""

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException
from airflow.providers.databricks.operators.databricks import (
    DatabricksCreateJobsOperator,
    DatabricksNotebookOperator,
    DatabricksRunNowOperator,
    DatabricksTaskOperator,
)
from airflow.providers.databricks.operators.databricks_workflow import DatabricksWorkflowTaskGroup
from airflow.sdk import DAG, BaseOperator

from tests.localcloud.databricks.server import SMALL_CLUSTER, Server, airflow_connection, context, results

CONNECTION: dict[str, Any] = {"databricks_conn_id": "light", "polling_period_seconds": 1}


@pytest.fixture(autouse=True)
def connection(light: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LIGHT", airflow_connection(light))


def create_job(name: str, *tasks: dict[str, Any], **settings: Any) -> int:
    operator = DatabricksCreateJobsOperator(
        task_id="create", json={"name": name, "tasks": list(tasks), **settings}, databricks_conn_id="light"
    )
    job_id: int = operator.execute({})
    return job_id


def test_a_job_that_exists_is_reset_and_not_made_twice(light: Server) -> None:
    task = light.script("only", "print(1)").as_dict()
    job_id = create_job("by operator", task)
    assert create_job("by operator", task, timeout_seconds=60) == job_id
    settings = light.client.jobs.get(job_id).settings
    assert settings is not None
    assert settings.timeout_seconds == 60


def test_a_notebook_runs_with_its_parameters(light: Server) -> None:
    light.notebook("of_operator", "print(dbutils.widgets.get('day'))")
    operator = DatabricksNotebookOperator(
        task_id="notebook",
        notebook_path="/Shared/of_operator",
        source="WORKSPACE",
        notebook_params={"day": "2026-01-31"},
        new_cluster=SMALL_CLUSTER.as_dict(),
        **CONNECTION,
    )
    operator.execute(context())
    assert operator.databricks_run_id is not None
    run = light.client.jobs.get_run(operator.databricks_run_id)
    assert list(light.logs(run).values()) == ["2026-01-31\n"]


def test_a_notebook_brings_packages_to_an_existing_cluster(light: Server, index: str) -> None:
    light.notebook("with_packages", "import greeting; print(greeting.TEXT)")
    created = light.client.clusters.create(spark_version="17.3.x-scala2.13", num_workers=0).bind()
    operator = DatabricksNotebookOperator(
        task_id="notebook",
        notebook_path="/Shared/with_packages",
        source="WORKSPACE",
        notebook_packages=[{"pypi": {"package": "greeting==1.0", "repo": index}}],
        existing_cluster_id=created["cluster_id"],
        **CONNECTION,
    )
    operator.execute(context())
    assert operator.databricks_run_id is not None
    run = light.client.jobs.get_run(operator.databricks_run_id)
    assert list(light.logs(run).values()) == ["hello 1.0!\n"]
    light.client.clusters.permanent_delete(created["cluster_id"])


def test_a_failing_task_fails_its_operator(light: Server) -> None:
    script = light.script("fails", "raise ValueError('no such month')").as_dict()
    operator = DatabricksTaskOperator(
        task_id="task",
        task_config={"spark_python_task": script["spark_python_task"]},
        new_cluster=SMALL_CLUSTER.as_dict(),
        **CONNECTION,
    )
    with pytest.raises(AirflowException, match="ValueError: no such month"):
        operator.execute(context())


def run_now(**settings: Any) -> DatabricksRunNowOperator:
    return DatabricksRunNowOperator(task_id="run_now", do_xcom_push=False, **CONNECTION, **settings)


def test_a_job_found_by_its_name_runs_with_parameters_of_the_run(light: Server) -> None:
    task = light.script("named", "import sys; print(sys.argv[1])", "{{job.parameters.k}}").as_dict()
    create_job("found by name", task, parameters=[{"name": "k", "default": 5}])
    operator = run_now(job_name="found by name", job_parameters={"k": 7})
    operator.execute({})
    assert operator.run_id is not None
    assert light.logs(light.client.jobs.get_run(operator.run_id)) == {"named": "7\n"}


def test_a_failed_run_is_repaired(light: Server) -> None:
    flaky = "import sys\nfrom pathlib import Path\nif sys.argv[1] == '0': raise ValueError('not yet')"
    task = light.script("flaky", flaky, "{{job.repair_count}}").as_dict()
    job_id = create_job("to repair by operator", task)
    operator = run_now(job_id=job_id, repair_run=True)
    # Where it doesn't defer, the provider raises the first failure although the repair has mended it.
    with pytest.raises(AirflowException, match="not yet"):
        operator.execute({})
    assert operator.run_id is not None
    run = light.client.jobs.get_run(operator.run_id, include_history=True)
    assert results(run) == {"flaky": "SUCCESS"}
    assert [entry.type.value for entry in run.repair_history or [] if entry.type] == ["ORIGINAL", "REPAIR"]


def test_a_workflow_is_one_job_whose_tasks_are_followed_one_by_one(light: Server) -> None:
    light.notebook("first", "dbutils.jobs.taskValues.set('rows', 3)")
    light.notebook("second", "print(dbutils.widgets.get('rows'))")
    cluster = {"job_cluster_key": "shared", "new_cluster": SMALL_CLUSTER.as_dict()}
    common = {"source": "WORKSPACE", "job_cluster_key": "shared", **CONNECTION}
    with (
        DAG("workflow", schedule=None) as dag,
        DatabricksWorkflowTaskGroup(group_id="group", databricks_conn_id="light", job_clusters=[cluster]),
    ):
        first = DatabricksNotebookOperator(task_id="first", notebook_path="/Shared/first", **common)
        rows = {"rows": f"{{{{tasks.{first.databricks_task_key}.values.rows}}}}"}
        second = DatabricksNotebookOperator(
            task_id="second", notebook_path="/Shared/second", notebook_params=rows, **common
        )
        first >> second
    launch = dag.get_task("group.launch")
    assert isinstance(launch, BaseOperator)
    metadata = launch.execute(context())
    for task in (first, second):
        task.workflow_run_metadata = metadata
        task.execute(context())
    run = light.client.jobs.get_run(metadata["run_id"])
    assert results(run) == {first.databricks_task_key: "SUCCESS", second.databricks_task_key: "SUCCESS"}
    assert light.logs(run)[second.databricks_task_key] == "3\n"
