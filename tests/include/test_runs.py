from datetime import timedelta
from typing import Any

import pytest

from include.compute import Compute
from include.errors import ConfigurationError
from include.runs import Parameter, cluster_specification, named_parameters, submit_payload
from include.settings import Settings
from tests.include.conftest import WHEEL

LAKE = "abfss://bookstore@bookstorelake.dfs.core.windows.net/lake"


def payload(
    compute: Compute,
    secrets: dict[str, str] | None = None,
    cluster_id: str = "",
    **parameters: str | int | bool | None,
) -> dict[str, Any]:
    return submit_payload(
        Settings.load(),
        step="aggregate_rfm",
        run_name="segment_customers.aggregate_rfm 2026-01-31",
        parameters=parameters,
        compute=compute,
        timeout=timedelta(minutes=30),
        secrets=secrets,
        cluster_id=cluster_id,
    )


def test_job_cluster_is_one_small_node_that_refers_to_the_key() -> None:
    assert payload(Compute.JOB_CLUSTER, snapshot_date="2026-01-31", lookback_days=365) == {
        "run_name": "segment_customers.aggregate_rfm 2026-01-31",
        "timeout_seconds": 1800,
        "tasks": [
            {
                "task_key": "aggregate_rfm",
                "python_wheel_task": {
                    "package_name": "bookstore-segmentation",
                    "entry_point": "aggregate_rfm",
                    "named_parameters": {"lake_root": LAKE, "snapshot_date": "2026-01-31", "lookback_days": "365"},
                },
                "libraries": [{"whl": WHEEL}],
                "new_cluster": {
                    "spark_version": "17.3.x-scala2.13",
                    "node_type_id": "Standard_DS3_v2",
                    "num_workers": 0,
                    "data_security_mode": "SINGLE_USER",
                    "enable_local_disk_encryption": True,
                    "custom_tags": {"ResourceClass": "SingleNode"},
                    "spark_conf": {
                        "spark.databricks.cluster.profile": "singleNode",
                        "spark.master": "local[*, 4]",
                        "spark.hadoop.fs.azure.account.key.bookstorelake.dfs.core.windows.net": (
                            "{{secrets/bookstore/adls-account-key}}"
                        ),
                    },
                },
            }
        ],
    }


def test_instance_pool_takes_the_place_of_the_node_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKSTORE_INSTANCE_POOL_ID", "pool-1")
    cluster = payload(Compute.INSTANCE_POOL)["tasks"][0]["new_cluster"]
    assert cluster["instance_pool_id"] == "pool-1"
    assert "node_type_id" not in cluster


def test_a_step_runs_on_the_cluster_of_the_dag_run() -> None:
    task = payload(Compute.DAG_CLUSTER, cluster_id="1125-run")["tasks"][0]
    assert task["existing_cluster_id"] == "1125-run"
    assert task["libraries"] == [{"whl": WHEEL}]
    assert "new_cluster" not in task


def test_a_step_without_the_cluster_of_the_dag_run_brings_its_own() -> None:
    assert payload(Compute.DAG_CLUSTER) == payload(Compute.JOB_CLUSTER)


def test_the_cluster_of_a_dag_run_comes_from_the_pool_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKSTORE_INSTANCE_POOL_ID", "pool-1")
    cluster = cluster_specification(Settings.load(), Compute.DAG_CLUSTER, {})
    assert cluster["instance_pool_id"] == "pool-1"
    assert "node_type_id" not in cluster


def test_existing_cluster_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKSTORE_CLUSTER_ID", "0123-cluster")
    task = payload(Compute.EXISTING_CLUSTER)["tasks"][0]
    assert task["existing_cluster_id"] == "0123-cluster"
    assert task["libraries"] == [{"whl": WHEEL}]
    assert "new_cluster" not in task


def test_serverless_takes_the_wheel_by_environment_and_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKSTORE_CATALOG", "main")
    run = payload(Compute.SERVERLESS)
    assert run["environments"] == [
        {"environment_key": "bookstore", "spec": {"environment_version": "4", "dependencies": [WHEEL]}}
    ]
    assert run["tasks"] == [
        {
            "task_key": "aggregate_rfm",
            "python_wheel_task": {
                "package_name": "bookstore-segmentation",
                "entry_point": "aggregate_rfm",
                "named_parameters": {"lake_root": LAKE, "catalog": "main"},
            },
            "environment_key": "bookstore",
        }
    ]
    assert "secrets" not in str(run)


def test_a_secret_reaches_the_step_as_a_reference_in_its_environment() -> None:
    cluster = payload(Compute.JOB_CLUSTER, {"KAFKA_PASSWORD": "kafka-password"})["tasks"][0]["new_cluster"]
    assert cluster["spark_env_vars"] == {"KAFKA_PASSWORD": "{{secrets/bookstore/kafka-password}}"}


def test_a_secret_on_serverless_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKSTORE_CATALOG", "main")
    with pytest.raises(ConfigurationError, match=r"runs on compute with environment variables .*found serverless"):
        payload(Compute.SERVERLESS, {"KAFKA_PASSWORD": "kafka-password"})


@pytest.mark.parametrize("compute", [Compute.EXISTING_CLUSTER, Compute.INSTANCE_POOL, Compute.SERVERLESS])
def test_compute_of_a_run_needs_its_settings_too(compute: Compute) -> None:
    with pytest.raises(ConfigurationError, match=f"compute {compute} requires BOOKSTORE_"):
        payload(compute)


@pytest.mark.parametrize("realtime", [True, "true"])
def test_real_time_on_serverless_is_refused(realtime: bool | str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKSTORE_CATALOG", "main")
    with pytest.raises(ConfigurationError, match="realtime needs compute that keeps a stream running"):
        payload(Compute.SERVERLESS, realtime=realtime)


@pytest.mark.parametrize(("name", "variable"), [("lake_root", "LAKE_ROOT"), ("wheel", "BOOKSTORE_WHEEL")])
def test_nothing_is_built_without_a_lake_or_a_wheel(name: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "")
    with pytest.raises(ConfigurationError, match=f"{variable} is required and is not set"):
        payload(Compute.JOB_CLUSTER)
    assert getattr(Settings.load(), name) == ""


def test_parameters_are_text_and_empty_ones_are_left_out() -> None:
    given: dict[str, Parameter] = {
        "snapshot_date": "2026-01-31",
        "lookback_days": 0,
        "full_refresh": False,
        "k": None,
        "catalog": "",
    }
    assert named_parameters(given) == {"snapshot_date": "2026-01-31", "lookback_days": "0", "full_refresh": "false"}
