"""The tasks around a DAG's steps that start and delete the cluster which the steps share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from include.compute import Compute
from include.errors import ConfigurationError
from include.operators import START_CLUSTER
from include.parameters import COMPUTE
from include.settings import Settings

if TYPE_CHECKING:
    from include.run_clusters import DagRunKey


@contextmanager
def cluster_of_the_run(*, after: BaseOperator) -> Iterator[None]:
    """Has the steps declared within run on one cluster for each DAG run, which starts after the given task.

    For a DAG of several steps: a single one has its own cluster, which costs less for each hour.
    """
    start = StartClusterOperator(task_id=START_CLUSTER)
    stop = StopClusterOperator(task_id="stop_cluster").as_teardown(setups=start)
    after >> start
    with stop:
        yield


class StartClusterOperator(BaseOperator):
    """Starts the DAG run's cluster and returns its id, without waiting: the first step's run does that.

    With any other compute there is nothing to start.

    Args:
        compute: What the steps run on; empty: what the configuration says.
    """

    template_fields = ("compute",)

    def __init__(
        self, *, compute: str = COMPUTE, databricks_conn_id: str = "databricks_default", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.compute = compute
        self.databricks_conn_id = databricks_conn_id

    def execute(self, context: Context) -> str | None:
        try:
            settings = Settings.load()
            compute = settings.chosen_compute(self.compute)
            if compute is Compute.DAG_CLUSTER:
                return self._start(settings, context)
        except ConfigurationError as error:
            raise AirflowFailException(f"no cluster was started: {error}") from None
        self.log.info("%s needs no cluster of the DAG run: nothing to do", compute)
        return None

    def _start(self, settings: Settings, context: Context) -> str:
        # Databricks' client takes a second to import: paid by the task, not by every parse of a DAG file.
        from include.run_clusters import IDLE_MINUTES, start
        from include.workspace import workspace_client

        workspace = workspace_client(self.databricks_conn_id)
        cluster_id = start(workspace, settings, _key(settings, context))
        self.log.info(
            "Cluster %s of this DAG run: %s/compute/clusters/%s. It ends after the steps, or after %s idle minutes",
            cluster_id, workspace.config.host, cluster_id, IDLE_MINUTES,
        )  # fmt: skip
        return cluster_id


class StopClusterOperator(BaseOperator):
    """Deletes the DAG run's cluster for good, however the steps ended."""

    def __init__(self, *, databricks_conn_id: str = "databricks_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.databricks_conn_id = databricks_conn_id

    def execute(self, context: Context) -> None:
        if not context["ti"].xcom_pull(task_ids=START_CLUSTER):
            self.log.info("%s has started no cluster: nothing to do", START_CLUSTER)
            return
        from include.run_clusters import delete
        from include.workspace import workspace_client

        deleted = delete(workspace_client(self.databricks_conn_id), _key(Settings.load(), context))
        self.log.info("Deleted: %s", ", ".join(deleted) or "nothing, the cluster was gone")


def _key(settings: Settings, context: Context) -> "DagRunKey":
    from include.run_clusters import DagRunKey

    run = context["ti"]
    return DagRunKey(run.dag_id, run.run_id, settings.required("lake_root"))
