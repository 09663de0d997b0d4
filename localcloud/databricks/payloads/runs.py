"""Runs and jobs: tasks and what holds for all of them."""

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic import Field, model_validator

from localcloud.databricks.payloads.base import Id, Payload, Seconds, Text, Texts
from localcloud.databricks.payloads.clusters import ClusterSpec, JobCluster
from localcloud.databricks.payloads.tasks import UNSUPPORTED_TASKS, Task

# Left out of a run they would change what it does: better refused than forgotten.
_UNSUPPORTED = {
    "git_source",
    "jar_params",
    "sql_params",
    "spark_submit_params",
    "dbt_commands",
    "pipeline_params",
    "only",
}


class RunSettings(Payload):
    """What a run executes: from `runs/submit`, or a job's settings at the time of `run-now`."""

    tasks: list[Task] = Field(min_length=1, max_length=1000)
    job_clusters: list[JobCluster] = Field(default=[], max_length=100)
    timeout_seconds: Seconds = 0

    @model_validator(mode="before")
    @classmethod
    def _from_single_task(cls, data: Any) -> Any:
        """The older form has one task's fields at the top, and its task has the run's name.

        Databricks still takes it; the provider sends it, and finds the task by that name.
        """
        if not isinstance(data, dict) or data.get("tasks"):
            return data
        fields = (Task.model_fields.keys() | UNSUPPORTED_TASKS) - {"timeout_seconds"}
        own = {name: value for name, value in data.items() if name in fields}
        rest = {name: value for name, value in data.items() if name not in own}
        key = re.sub(r"[^\w-]", "_", str(data.get("run_name") or "main"))[:100]
        return {**rest, "tasks": [{"task_key": key, **own}]} if own else data

    @model_validator(mode="after")
    def _consistent(self) -> "RunSettings":
        self.refuse(_UNSUPPORTED, "give the tasks their own parameters")
        keys = [task.task_key for task in self.tasks]
        if len(set(keys)) != len(keys):
            raise ValueError(f"task keys must be unique, found {keys}")
        for task in self.tasks:
            self._check_dependencies(task, set(keys))
        for task in self.all_tasks():
            if task.job_cluster_key is not None and task.job_cluster_key not in self.clusters_by_key:
                raise ValueError(f"task {task.task_key} names job cluster {task.job_cluster_key}, which is not defined")
        try:
            TopologicalSorter({task.task_key: task.upstream for task in self.tasks}).prepare()
        except CycleError as error:
            raise ValueError(f"tasks depend on each other in a circle: {' -> '.join(error.args[1])}") from None
        return self

    def _check_dependencies(self, task: Task, keys: set[str]) -> None:
        missing = sorted(set(task.upstream) - keys)
        if missing:
            raise ValueError(f"task {task.task_key} depends on {missing[0]}, which is no task of this run")
        kinds = {each.task_key: each.kind for each in self.tasks}
        for each in task.depends_on:
            if each.outcome is not None and kinds[each.task_key] != "condition_task":
                raise ValueError(f"task {task.task_key} names an outcome of {each.task_key}, which is no condition")

    def all_tasks(self) -> Iterator[Task]:
        """Every task, also those that are run for each element."""
        return (each for task in self.tasks for each in task.nested)

    @property
    def clusters_by_key(self) -> dict[str, ClusterSpec]:
        return {cluster.job_cluster_key: cluster.new_cluster for cluster in self.job_clusters}


class SubmitRun(RunSettings):
    run_name: str = Field(default="Untitled", max_length=4096)
    idempotency_token: str | None = Field(default=None, max_length=64)


class JobParameter(Payload):
    name: str = Field(pattern=r"^[\w.-]{1,128}$")
    default: Text = ""


class Queue(Payload):
    """Whether runs beyond the job's limit wait for their turn."""

    enabled: bool = False


class JobSettings(RunSettings):
    name: str = Field(default="Untitled", max_length=4096)
    max_concurrent_runs: int = Field(default=1, ge=0, le=1000)
    parameters: list[JobParameter] = Field(default_factory=list)
    queue: Queue = Queue()

    @model_validator(mode="after")
    def _parameters_once(self) -> "JobSettings":
        names = [parameter.name for parameter in self.parameters]
        if len(set(names)) != len(names):
            raise ValueError(f"job parameters must have different names, found {names}")
        return self


class Overrides(Payload):
    """Parameters for one run of a job instead of its own: of the tasks, or of the job."""

    python_params: list[Text] = Field(default_factory=list)
    python_named_params: Texts = Field(default_factory=dict)
    notebook_params: Texts = Field(default_factory=dict)
    job_parameters: Texts = Field(default_factory=dict)

    @model_validator(mode="after")
    def _supported(self) -> "Overrides":
        self.refuse(_UNSUPPORTED, "use job_parameters, notebook_params, python_params or python_named_params")
        if self.job_parameters and self.of_tasks:
            raise ValueError(f"job_parameters can't be given together with {', '.join(self.of_tasks)}")
        return self

    @property
    def of_tasks(self) -> dict[str, Any]:
        """Those that go to each task of the kind that takes them."""
        return self.model_dump(
            include={"python_params", "python_named_params", "notebook_params"}, exclude_defaults=True
        )

    def apply(self, task: Task) -> Task:
        """The task with these parameters: lists replace its own, names are added to its own."""
        if task.python_wheel_task and self.python_params:
            return task.with_action({**task.action, "parameters": self.python_params, "named_parameters": {}})
        if task.python_wheel_task and self.python_named_params:
            return task.with_action({**task.action, "parameters": [], "named_parameters": self.python_named_params})
        if task.spark_python_task and self.python_params:
            return task.with_action({**task.action, "parameters": self.python_params})
        if task.notebook_task and self.notebook_params:
            return task.with_action(
                {**task.action, "base_parameters": task.notebook_task.base_parameters | self.notebook_params}
            )
        return task


class RunNow(Overrides):
    job_id: Id
    idempotency_token: str | None = Field(default=None, max_length=64)
    queue: Queue | None = None


class Repair(Overrides):
    """Runs tasks of an ended run again, as part of that run."""

    run_id: Id
    rerun_tasks: list[str] = Field(default_factory=list)
    rerun_all_failed_tasks: bool = False
    rerun_dependent_tasks: bool = False
    latest_repair_id: Id | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> "Repair":
        if bool(self.rerun_tasks) == self.rerun_all_failed_tasks:
            raise ValueError("exactly one of rerun_tasks and rerun_all_failed_tasks is required")
        return self
