"""A day at the bookstore, from Kafka to the report: by the DAGs, and as jobs that each start a Spark of their own."""

import datetime as dt
import subprocess
import sys
import time

from databricks.sdk.service.jobs import PythonWheelTask, RunTask
from rich.console import Console

from localcloud.airflow.client import AirflowClient
from localcloud.bookstore.plan import Disorder, Plan
from localcloud.bookstore.production import produce_bookstore
from localcloud.databricks.engine.server_spec import ServerSpec, write_configuration
from localcloud.demo import RUN_LIMIT_SECONDS, Stages, bring_to_silver
from localcloud.services.kafka import bootstrap_servers
from localcloud.storage import ACCOUNT_KEY, jvm_options
from tests.cloud import Cloud

_NO_PORT = 0  # nothing is served


def by_dags(cloud: Cloud) -> tuple[float, list[PythonWheelTask]]:
    """Seconds that the DAGs take, on clusters that are up, and the steps that they submitted, in order."""
    messages = _produce(cloud, first_id=1_000_001)
    began = time.time()
    with AirflowClient(cloud.home) as airflow:
        bring_to_silver(airflow, messages, Stages(Console(quiet=True)))
        segments = airflow.trigger("segment_customers", partition_key=_yesterday().isoformat())
        airflow.wait(segments, timeout=RUN_LIMIT_SECONDS)
        seconds = time.time() - began
        # Else the schedule would take the next day's events away.
        airflow.pause("ingest_events")
    return seconds, _submitted(cloud, since=began)


def by_cold_sparks(cloud: Cloud, steps: list[PythonWheelTask]) -> float:
    """Seconds that the same steps take one after the other, each in a session as `spark-submit` would start it."""
    _produce(cloud, first_id=2_000_001)
    environment = cloud.environment() | _classic_spark(cloud)
    began = time.time()
    for step in steps:
        named = [f"--{name}={value}" for name, value in (step.named_parameters or {}).items()]
        command = [sys.executable, "-m", f"spark_jobs.jobs.{step.entry_point}", *(step.parameters or []), *named]
        subprocess.run(command, env=environment, capture_output=True, check=True)
    return time.time() - began


def _produce(cloud: Cloud, first_id: int) -> int:
    """Sends a day's events; how many messages."""
    plan = Plan(50, 10, 200, _yesterday(), _yesterday(), seed=7, first_id=first_id)
    return produce_bookstore(bootstrap_servers(cloud.home), plan, Disorder(), lambda *_: None).messages


def _yesterday() -> dt.date:
    return dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)


def _submitted(cloud: Cloud, since: float) -> list[PythonWheelTask]:
    """The steps that were run since then, in the order in which they began."""
    runs = cloud.databricks().jobs.list_runs(expand_tasks=True)
    tasks = [task for run in runs for task in run.tasks or [] if (task.start_time or 0) >= since * 1_000]
    return [task.python_wheel_task for task in sorted(tasks, key=_start) if task.python_wheel_task]


def _start(task: RunTask) -> int:
    return task.start_time or 0


def _classic_spark(cloud: Cloud) -> dict[str, str]:
    """What a Spark that isn't a cluster's needs to reach the lake; the key is in a file that only its owner reads."""
    key = {ACCOUNT_KEY: cloud.home.secret("storage-key")}
    spec = ServerSpec("cold", cloud.home.root / "cold", spark_conf={}, private_hadoop_conf=key, environment={})
    write_configuration(cloud.home, spec, _NO_PORT, _NO_PORT)
    return {"HADOOP_CONF_DIR": str(spec.conf), "JAVA_TOOL_OPTIONS": " ".join(jvm_options(cloud.home))}
