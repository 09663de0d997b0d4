"""What the Jobs and Clusters APIs accept; numbers may arrive as text, as the Airflow provider sends them."""

import re
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_UNSUPPORTED_TASKS = {
    "notebook_task", "spark_jar_task", "spark_submit_task", "pipeline_task", "sql_task", "dbt_task", "run_job_task",
    "condition_task", "for_each_task", "dashboard_task", "power_bi_task", "gen_ai_compute_task",
    "clean_rooms_notebook_task",
}  # fmt: skip


# Left out of a run they would change what it does: better refused than forgotten.
UNSUPPORTED_SETTINGS = {
    "git_source", "parameters", "job_parameters", "notebook_params", "jar_params", "sql_params", "only",
}  # fmt: skip
_UNSUPPORTED_CLUSTER = {"init_scripts", "docker_image"}
_DYNAMIC_VALUE = re.compile(r"\{\{\s*(job|run|task|tasks|workspace|input)\b")


def _text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_text)]


class Payload(BaseModel):
    """Base: unknown fields are kept and echoed, since most of them (tags, notifications …) change nothing here."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_unset=True)

    def refuse(self, unsupported: set[str], instead: str) -> None:
        """Refuses what was given and can't be done here."""
        given = [name for name, value in (self.model_extra or {}).items() if value and name in unsupported]
        if given:
            raise ValueError(f"{given[0]} can't be used locally: {instead}")


class PythonWheelTask(Payload):
    package_name: str
    entry_point: str
    parameters: list[Text] = []
    named_parameters: dict[str, Text] = {}

    @model_validator(mode="after")
    def _one_kind_of_parameters(self) -> "PythonWheelTask":
        if self.parameters and self.named_parameters:
            raise ValueError("python_wheel_task takes either parameters or named_parameters, found both")
        return self


class SparkPythonTask(Payload):
    python_file: str
    parameters: list[Text] = []
    source: Literal["WORKSPACE"] | None = None


class Library(Payload):
    model_config = ConfigDict(extra="forbid")

    whl: str


class ClusterSpec(Payload):
    spark_version: str
    cluster_name: str = ""
    spark_conf: dict[str, Text] = {}
    spark_env_vars: dict[str, Text] = {}

    @model_validator(mode="after")
    def _possible(self) -> "ClusterSpec":
        self.refuse(_UNSUPPORTED_CLUSTER, "install libraries instead")
        return self


class JobCluster(Payload):
    job_cluster_key: str
    new_cluster: ClusterSpec


class Dependency(Payload):
    task_key: str


class Task(Payload):
    task_key: str = Field(pattern=r"^[\w-]{1,100}$")
    python_wheel_task: PythonWheelTask | None = None
    spark_python_task: SparkPythonTask | None = None
    depends_on: list[Dependency] = []
    run_if: Literal[
        "ALL_SUCCESS", "ALL_DONE", "NONE_FAILED", "AT_LEAST_ONE_SUCCESS", "ALL_FAILED", "AT_LEAST_ONE_FAILED"
    ] = "ALL_SUCCESS"
    new_cluster: ClusterSpec | None = None
    job_cluster_key: str | None = None
    existing_cluster_id: str | None = None
    libraries: list[Library] = []
    timeout_seconds: int = Field(default=0, ge=0)
    max_retries: int = Field(default=0, ge=-1)
    min_retry_interval_millis: int = Field(default=0, ge=0)
    retry_on_timeout: bool = False

    @property
    def upstream(self) -> list[str]:
        return [dependency.task_key for dependency in self.depends_on]

    @model_validator(mode="after")
    def _runnable(self) -> "Task":
        self.refuse(_UNSUPPORTED_TASKS, "use python_wheel_task or spark_python_task")
        if any(_DYNAMIC_VALUE.search(text) for text in self._parameters()):
            raise ValueError(f"task {self.task_key} has dynamic values ({{{{…}}}}), which aren't resolved locally")
        if (self.python_wheel_task is None) == (self.spark_python_task is None):
            raise ValueError(f"task {self.task_key} needs exactly one of python_wheel_task and spark_python_task")
        return self._on_one_cluster()

    def _parameters(self) -> list[str]:
        if wheel := self.python_wheel_task:
            return [*wheel.parameters, *wheel.named_parameters.values()]
        return self.spark_python_task.parameters if self.spark_python_task else []

    def _on_one_cluster(self) -> "Task":
        clusters = [self.new_cluster, self.job_cluster_key, self.existing_cluster_id]
        if sum(cluster is not None for cluster in clusters) != 1:
            raise ValueError(
                f"task {self.task_key} needs exactly one of new_cluster, job_cluster_key and existing_cluster_id "
                "(serverless environments can't run locally)"
            )
        return self


class RunSettings(Payload):
    """What a run executes: from `runs/submit`, or a job's settings at the time of `run-now`."""

    tasks: list[Task] = Field(min_length=1, max_length=1000)
    job_clusters: list[JobCluster] = []
    timeout_seconds: int = Field(default=0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _from_single_task(cls, data: Any) -> Any:
        """The older form has one task's fields at the top; Databricks still takes it, and the provider sends it."""
        if not isinstance(data, dict) or data.get("tasks"):
            return data
        fields = (Task.model_fields.keys() | _UNSUPPORTED_TASKS) - {"timeout_seconds"}
        own = {name: value for name, value in data.items() if name in fields}
        rest = {name: value for name, value in data.items() if name not in own}
        return {**rest, "tasks": [{"task_key": "main", **own}]} if own else data

    @model_validator(mode="after")
    def _consistent(self) -> "RunSettings":
        self.refuse(UNSUPPORTED_SETTINGS, "give the tasks their own parameters")
        keys = [task.task_key for task in self.tasks]
        if len(set(keys)) != len(keys):
            raise ValueError(f"task keys must be unique, found {keys}")
        for task in self.tasks:
            self._check_references(task, set(keys))
        try:
            TopologicalSorter({task.task_key: task.upstream for task in self.tasks}).prepare()
        except CycleError as error:
            raise ValueError(f"tasks depend on each other in a circle: {' -> '.join(error.args[1])}") from None
        return self

    def _check_references(self, task: Task, keys: set[str]) -> None:
        missing = sorted(set(task.upstream) - keys)
        if missing:
            raise ValueError(f"task {task.task_key} depends on {missing[0]}, which is no task of this run")
        if task.job_cluster_key is not None and task.job_cluster_key not in self.clusters_by_key:
            raise ValueError(f"task {task.task_key} names job cluster {task.job_cluster_key}, which is not defined")

    @property
    def clusters_by_key(self) -> dict[str, ClusterSpec]:
        return {cluster.job_cluster_key: cluster.new_cluster for cluster in self.job_clusters}


class SubmitRun(RunSettings):
    run_name: str = "Untitled"
    idempotency_token: str | None = Field(default=None, max_length=64)


class JobSettings(RunSettings):
    name: str = "Untitled"
    max_concurrent_runs: int = Field(default=1, ge=0)
