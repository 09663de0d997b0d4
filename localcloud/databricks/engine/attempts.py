"""One attempt at one task: from waiting for its cluster to its end."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.databricks.engine.cluster_libraries import ClusterLibraries
from localcloud.databricks.engine.clusters import Clusters
from localcloud.databricks.engine.endings import (
    INTERRUPTED,
    SUCCESS,
    Ending,
    StopSignal,
    cluster_lost,
    failed,
    not_started,
    timed_out,
)
from localcloud.databricks.engine.spark_server import SparkServer
from localcloud.databricks.engine.task_process import (
    TaskProcess,
    ended_task,
    failure,
    find_task,
    living_task,
    start_task,
)
from localcloud.databricks.files import FileTree
from localcloud.databricks.payloads.runs import RunSettings
from localcloud.databricks.payloads.tasks import Task
from localcloud.databricks.state import Cluster, Run, State, now
from localcloud.errors import LocalCloudError
from localcloud.home import Home

_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Attempts:
    """What every attempt needs."""

    home: Home
    state: State
    files: FileTree
    clusters: Clusters
    libraries: ClusterLibraries

    def execute(
        self, row: Run, task: Task, settings: RunSettings, stop: StopSignal, values: dict[str, dict[str, Any]]
    ) -> Ending:
        """Runs one attempt on its cluster and records its states; returns how it ended.

        Args:
            row: The attempt.
            task: What to run, with no reference left in it.
            settings: Of the run, which defines job clusters.
            stop: Tells it to end before it is done.
            values: What earlier tasks have set for it, by task.
        """
        self.begin(row, "PENDING")
        try:
            ending = self._on_cluster(row, task, settings, stop, values)
        except LocalCloudError as error:
            ending = stop.ending if stop.is_set else not_started(error)
        return self.finish(row, ending)

    def has_begun(self, row: Run) -> bool:
        """Whether a process was started for the attempt, be it by an earlier workspace server."""
        return self.folder(row.run_id).exists()

    def is_alive(self, row: Run) -> bool:
        """Whether its process lives and its cluster is up."""
        if living_task(self.folder(row.run_id)) is None or row.cluster_id is None:
            return False
        return self.state.get(Cluster, row.cluster_id) is not None and self.clusters.get(row.cluster_id).is_running

    def follow(self, row: Run, task: Task, stop: StopSignal) -> Ending:
        """Goes on with an attempt that an earlier workspace server has begun."""
        folder = self.folder(row.run_id)
        if self.is_alive(row):
            with self.clusters.lease(row.cluster_id or "") as server:
                if (process := find_task(folder, server)) is not None:
                    return self.finish(row, self._with_session(row, process, task, stop))
        ended = ended_task(folder)
        return self.finish(row, INTERRUPTED if ended is None else _ending(*ended))

    def begin(self, row: Run, state: str = "RUNNING") -> None:
        row.start_time = now()
        self.state.update(Run, row.run_id, life_cycle_state=state, start_time=row.start_time)

    def show(self, row: Run, **details: object) -> None:
        """Adds what the API shows of the attempt besides its state."""
        row.settings = {**row.settings, **details}
        self.state.update(Run, row.run_id, settings=row.settings)

    def finish(self, row: Run, ending: Ending) -> Ending:
        """Records how it ended, and returns that."""
        current = self.state.get(Run, row.run_id) or row
        ended = now()
        self.state.update(
            Run,
            row.run_id,
            life_cycle_state=ending.life_cycle_state,
            result_state=ending.result_state,
            termination_code=ending.code,
            state_message=ending.message,
            error=ending.error,
            error_trace=ending.error_trace,
            end_time=ended,
            execution_duration=max(0, ended - current.start_time - current.setup_duration),
        )
        return ending

    def folder(self, run_id: int) -> Path:
        return self.home.workspace / "runs" / str(run_id)

    def _on_cluster(
        self, row: Run, task: Task, settings: RunSettings, stop: StopSignal, values: dict[str, dict[str, Any]]
    ) -> Ending:
        asked = now()
        cluster_id = self._cluster_id(task, settings)
        self.state.update(Run, row.run_id, cluster_id=cluster_id, state_message="Waiting for the cluster")
        with self.clusters.lease(cluster_id) as server:
            if stop.is_set:
                return stop.ending
            self.state.update(
                Run, row.run_id, life_cycle_state="RUNNING", state_message="In run", setup_duration=now() - asked
            )
            row.cluster_id = cluster_id
            return self._in_process(row, task, server, stop, values)

    def _in_process(
        self, row: Run, task: Task, server: SparkServer, stop: StopSignal, values: dict[str, dict[str, Any]]
    ) -> Ending:
        process = start_task(
            self.home,
            files=self.files,
            server=server,
            folder=self.folder(row.run_id),
            task=task,
            values=values,
        )
        return self._with_session(row, process, task, stop)

    def _with_session(self, row: Run, process: TaskProcess, task: Task, stop: StopSignal) -> Ending:
        try:
            return self._until_ended(row, process, task, stop)
        finally:
            self.clusters.end_session(process.server, process.session_id)

    def _until_ended(self, row: Run, process: TaskProcess, task: Task, stop: StopSignal) -> Ending:
        spent = (now() - row.start_time - row.setup_duration) / 1000
        deadline = time.monotonic() - spent + (task.timeout_seconds or float("inf"))
        while not process.wait(_POLL_SECONDS):
            early = self._reason_to_stop(row, process, task, stop, deadline)
            if early is not None:
                process.stop()
                return early
        if stop.is_set and process.process.returncode != 0:
            return stop.ending
        return _ending(process.process.returncode, process.folder)

    def _reason_to_stop(
        self, row: Run, process: TaskProcess, task: Task, stop: StopSignal, deadline: float
    ) -> Ending | None:
        if stop.is_set:
            return stop.ending
        if time.monotonic() > deadline:
            return timed_out(task.timeout_seconds)
        if not self.clusters.is_served(row.cluster_id or "", process.server):
            # Its client would wait ten minutes for another server.
            return cluster_lost(row.cluster_id or "")
        return None

    def _cluster_id(self, task: Task, settings: RunSettings) -> str:
        if task.existing_cluster_id is not None:
            self.libraries.add(task.existing_cluster_id, [each.as_json() for each in task.libraries])
            return task.existing_cluster_id
        spec = task.new_cluster or settings.clusters_by_key[task.job_cluster_key or ""]
        return self.clusters.for_job(spec, [each.as_json() for each in task.libraries])


def _ending(code: int, folder: Path) -> Ending:
    return SUCCESS if code == 0 else failed(*failure(code, folder))
