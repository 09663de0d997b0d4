"""The payload of `runs/submit` for one step."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from include.compute import Compute, check_real_time, check_secrets
from include.settings import Settings

PACKAGE = "bookstore-segmentation"
SECRET_SCOPE = "bookstore"  # noqa: S105 - a scope's name, not a secret
STORAGE_KEY = "adls-account-key"
KAFKA_PASSWORD = "kafka-password"  # noqa: S105 - a secret's name
_ENVIRONMENT = "bookstore"
_SERVERLESS_VERSION = "4"

Payload = dict[str, Any]
Parameter = str | int | bool | None


def submit_payload(
    settings: Settings,
    *,
    step: str,
    run_name: str,
    parameters: Mapping[str, Parameter],
    compute: Compute,
    timeout: timedelta,
    secrets: Mapping[str, str] | None = None,
    cluster_id: str = "",
) -> Payload:
    """What `runs/submit` is sent for one step.

    Args:
        settings: The configuration.
        step: The step's name: task key and entry point of the wheel.
        run_name: What the run is called on Databricks.
        parameters: The job's own arguments; empty ones are left out.
        compute: What it runs on.
        timeout: After this Databricks ends the run, whatever becomes of Airflow.
        secrets: Environment variables of the step, each with the name of its secret in the scope.
        cluster_id: The cluster of the DAG run; where there is none, the step brings one of its own.

    Raises:
        ConfigurationError: The compute can't run this step with these settings.
    """
    settings.check_compute(compute)
    if secrets:
        check_secrets(compute)
    if parameters.get("realtime") in (True, "true"):
        check_real_time(compute)
    arguments = {"lake_root": settings.required("lake_root"), "catalog": settings.catalog, **parameters}
    wheel_task = {"package_name": PACKAGE, "entry_point": step, "named_parameters": named_parameters(arguments)}
    placement = _placement(settings, compute, secrets or {}, cluster_id)
    task = {"task_key": step, "python_wheel_task": wheel_task, **placement}
    payload = {"run_name": run_name, "timeout_seconds": int(timeout.total_seconds()), "tasks": [task]}
    return payload | _environments(settings, compute)


def secret_reference(name: str) -> str:
    """What Databricks replaces by the secret's value when a cluster starts."""
    return f"{{{{secrets/{SECRET_SCOPE}/{name}}}}}"


def named_parameters(arguments: Mapping[str, Parameter]) -> dict[str, str]:
    """Arguments as text, the form in which a job reads them; empty and absent ones are left out."""
    texts = {name: _text(value) for name, value in arguments.items()}
    return {name: text for name, text in texts.items() if text != ""}


def _text(value: Parameter) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def cluster_specification(settings: Settings, compute: Compute, secrets: Mapping[str, str]) -> Payload:
    """A cluster of one machine that reaches the lake, with the secrets in its environment."""
    is_from_pool = compute is Compute.INSTANCE_POOL or (compute is Compute.DAG_CLUSTER and settings.instance_pool_id)
    machine = {"instance_pool_id": settings.instance_pool_id} if is_from_pool else {"node_type_id": settings.node_type}
    return _single_node(settings) | machine | _environment_variables(secrets)


def _placement(settings: Settings, compute: Compute, secrets: Mapping[str, str], cluster_id: str) -> Payload:
    wheel = settings.required("wheel")
    if compute is Compute.SERVERLESS:
        return {"environment_key": _ENVIRONMENT}
    existing = settings.cluster_id if compute is Compute.EXISTING_CLUSTER else cluster_id
    if existing:
        return {"libraries": [{"whl": wheel}], "existing_cluster_id": existing}
    return {"libraries": [{"whl": wheel}], "new_cluster": cluster_specification(settings, compute, secrets)}


def _environment_variables(secrets: Mapping[str, str]) -> Payload:
    variables = {variable: secret_reference(name) for variable, name in secrets.items()}
    return {"spark_env_vars": variables} if variables else {}


def _single_node(settings: Settings) -> Payload:
    return {
        "spark_version": settings.spark_version,
        "num_workers": 0,
        "data_security_mode": "SINGLE_USER",
        # Where memory is short, Spark moves the settings of its readers to disk, with the storage key.
        "enable_local_disk_encryption": True,
        "custom_tags": {"ResourceClass": "SingleNode"},
        "spark_conf": {
            "spark.databricks.cluster.profile": "singleNode",
            "spark.master": "local[*, 4]",
            f"spark.hadoop.fs.azure.account.key.{settings.storage_host}": secret_reference(STORAGE_KEY),
        },
    }


def _environments(settings: Settings, compute: Compute) -> Payload:
    """Serverless compute takes the wheel and its Python from the run's environments, not from libraries."""
    if compute is not Compute.SERVERLESS:
        return {}
    spec = {"environment_version": _SERVERLESS_VERSION, "dependencies": [settings.required("wheel")]}
    return {"environments": [{"environment_key": _ENVIRONMENT, "spec": spec}]}
