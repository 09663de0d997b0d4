"""A task: what it does, when, and on which cluster."""

from typing import Any, Literal

from pydantic import Field, model_validator

from localcloud.databricks.payloads.base import Id, Payload, Seconds, Text, Texts
from localcloud.databricks.payloads.clusters import ClusterSpec, Library
from localcloud.databricks.references import check_references

UNSUPPORTED_TASKS = {
    "spark_jar_task", "spark_submit_task", "pipeline_task", "sql_task", "dbt_task", "dashboard_task", "power_bi_task",
    "gen_ai_compute_task", "clean_rooms_notebook_task",
}  # fmt: skip
_ON_CLUSTERS = ("python_wheel_task", "spark_python_task", "notebook_task")
_WITHOUT_CLUSTER = ("condition_task", "for_each_task", "run_job_task")
KINDS = (*_ON_CLUSTERS, *_WITHOUT_CLUSTER)


class PythonWheelTask(Payload):
    package_name: str
    entry_point: str
    parameters: list[Text] = Field(default_factory=list)
    named_parameters: Texts = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_kind_of_parameters(self) -> "PythonWheelTask":
        if self.parameters and self.named_parameters:
            raise ValueError("python_wheel_task takes either parameters or named_parameters, found both")
        return self


class SparkPythonTask(Payload):
    python_file: str
    parameters: list[Text] = Field(default_factory=list)
    source: Literal["WORKSPACE"] | None = None


class NotebookTask(Payload):
    notebook_path: str
    base_parameters: Texts = Field(default_factory=dict)
    source: Literal["WORKSPACE"] | None = None


class ConditionTask(Payload):
    """Compares two texts: equality as text, order as numbers."""

    op: Literal[
        "EQUAL_TO", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL"
    ]  # fmt: skip
    left: Text
    right: Text


class RunJobTask(Payload):
    job_id: Id
    job_parameters: Texts = Field(default_factory=dict)


class ForEachTask(Payload):
    """Runs a task once for each element of a JSON array."""

    inputs: str
    task: "Task"
    concurrency: int = Field(default=1, ge=1, le=100)


class Dependency(Payload):
    """An earlier task; `outcome` is that of a condition task, without which this branch isn't taken."""

    task_key: str
    outcome: Literal["true", "false"] | None = None


class Task(Payload):
    task_key: str = Field(pattern=r"^[\w-]{1,100}$")
    python_wheel_task: PythonWheelTask | None = None
    spark_python_task: SparkPythonTask | None = None
    notebook_task: NotebookTask | None = None
    condition_task: ConditionTask | None = None
    for_each_task: ForEachTask | None = None
    run_job_task: RunJobTask | None = None
    depends_on: list[Dependency] = Field(default_factory=list)
    run_if: Literal[
        "ALL_SUCCESS", "ALL_DONE", "NONE_FAILED", "AT_LEAST_ONE_SUCCESS", "ALL_FAILED", "AT_LEAST_ONE_FAILED"
    ] = "ALL_SUCCESS"
    new_cluster: ClusterSpec | None = None
    job_cluster_key: str | None = None
    existing_cluster_id: str | None = None
    libraries: list[Library] = Field(default_factory=list)
    timeout_seconds: Seconds = 0
    max_retries: int = Field(default=0, ge=-1, lt=2**31)
    min_retry_interval_millis: Seconds = 0
    retry_on_timeout: bool = False

    @property
    def upstream(self) -> list[str]:
        return [dependency.task_key for dependency in self.depends_on]

    @property
    def kind(self) -> str:
        """The field that says what the task does, e.g. `notebook_task`."""
        return next(name for name in KINDS if getattr(self, name) is not None)

    @property
    def nested(self) -> list["Task"]:
        """The task, and the one that it runs for each element."""
        return [self, self.for_each_task.task] if self.for_each_task else [self]

    def with_action(self, action: dict[str, Any]) -> "Task":
        """The same task with other content in the field that says what it does."""
        return Task.model_validate({**self.as_json(), self.kind: action})

    @model_validator(mode="after")
    def _runnable(self) -> "Task":
        self.refuse(UNSUPPORTED_TASKS, f"use one of {', '.join(KINDS)}")
        given = [name for name in KINDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"task {self.task_key} needs exactly one of {', '.join(KINDS)}; found {', '.join(given) or 'none'}"
            )
        if self.for_each_task and self.for_each_task.task.for_each_task:
            raise ValueError(f"task {self.task_key} is a for_each_task, and its task can't be another")
        check_references(self.action)
        return self._on_one_cluster()

    @property
    def action(self) -> dict[str, Any]:
        """What the task does, as it was given."""
        action: dict[str, Any] = getattr(self, self.kind).as_json()
        return action

    def _on_one_cluster(self) -> "Task":
        clusters = [self.new_cluster, self.job_cluster_key, self.existing_cluster_id]
        wanted = 1 if self.kind in _ON_CLUSTERS else 0
        if sum(cluster is not None for cluster in clusters) == wanted:
            return self
        if not wanted:
            raise ValueError(f"task {self.task_key} is a {self.kind}, which runs on no cluster: leave it out")
        raise ValueError(
            f"task {self.task_key} needs exactly one of new_cluster, job_cluster_key and existing_cluster_id "
            "(serverless environments can't run locally)"
        )
