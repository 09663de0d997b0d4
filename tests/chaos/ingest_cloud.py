"""As much of the local cloud as ingest needs, reached through a proxy that can make the storage fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.jobs import Run, RunResultState, SubmitTask

from include.kafka import kafka_parameters
from include.runs import SECRET_SCOPE, STORAGE_KEY, Parameter, submit_payload
from include.settings import Settings
from localcloud import lifecycle
from localcloud.environment import client_environment
from localcloud.home import Home
from localcloud.ports import HOST
from localcloud.services import registry
from localcloud.waiting import wait_until
from tests.storage_faults import StorageProxy

_SERVICES = ("azurite", "kafka", "workspace")
_STEP = "ingest_events"
_RUN_LIMIT = timedelta(minutes=10)


@dataclass(frozen=True)
class IngestCloud:
    """Kafka, storage and a workspace, running."""

    home: Home
    proxy: StorageProxy
    settings: Settings
    client: WorkspaceClient

    def run(self, **parameters: Parameter) -> str:
        """Submits `ingest_events` as its DAG does, and returns how the run ended: `SUCCESS`, or what it says instead.

        Where the workspace can't be reached the run has failed too: Airflow tries both again.
        """
        try:
            run_id = self.client.jobs.submit(run_name=_STEP, tasks=[self._task(parameters)]).run_id
            assert run_id is not None
            wait_until(lambda: _has_ended(self.client.jobs.get_run(run_id)), "the run should end", 600)
            return self._outcome(self.client.jobs.get_run(run_id))
        except (DatabricksError, OSError) as error:  # the SDK has tried again for minutes
            return f"{type(error).__name__}: {error}"

    def _task(self, parameters: dict[str, Parameter]) -> SubmitTask:
        payload = submit_payload(
            self.settings,
            step=_STEP,
            run_name=_STEP,
            parameters=kafka_parameters(self.settings) | parameters,
            compute=self.settings.compute,
            timeout=_RUN_LIMIT,
        )
        (task,) = payload["tasks"]
        task["new_cluster"]["spark_conf"]["spark.hadoop.fs.azure.abfs.endpoint"] = f"{HOST}:{self.proxy.port}"
        return SubmitTask.from_dict(task)

    def _outcome(self, run: Run) -> str:
        assert run.state is not None
        if run.state.result_state is RunResultState.SUCCESS:
            return "SUCCESS"
        (task,) = run.tasks or []
        error = self.client.jobs.get_run_output(task.run_id or 0).error
        return f"{run.state.state_message} {error or ''}"


def _has_ended(run: Run) -> bool:
    assert run.state is not None
    return run.state.result_state is not None


@contextmanager
def running(root: Path) -> Iterator[IngestCloud]:
    """Runs it under `root`, with Supervisor, which starts again what is killed; down at the end, whatever happened."""
    home = Home(root)
    home.create()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "NAMES", _SERVICES)
        all_groups = registry.groups
        patch.setattr(
            registry, "groups", lambda home: tuple(each for each in all_groups(home) if each.name in _SERVICES)
        )
        lifecycle.up(home, {}, lambda _what, _seconds, _where: None)
        for name, value in client_environment(home).items():
            patch.setenv(name, value)
        client = WorkspaceClient()
        client.secrets.create_scope(SECRET_SCOPE)
        client.secrets.put_secret(SECRET_SCOPE, STORAGE_KEY, string_value=home.secret("storage-key"))
        try:
            with StorageProxy(home) as proxy:
                yield IngestCloud(home, proxy, Settings.load(), client)
        finally:
            lifecycle.down(home)
