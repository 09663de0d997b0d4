"""A few calls of Airflow's public REST API, as the local admin: trigger a DAG, wait for its run."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from localcloud.errors import LocalCloudError
from localcloud.home import Home

ADMIN = "admin"
DONE = {"success", "skipped"}
"""The states of a task that what follows it needn't wait for."""
Progress = Callable[[dict[str, str | None]], None]
"""Is told the state of each of a run's tasks."""
_FINISHED = {"success", "failed"}
_POLL_SECONDS = 1.0
# On a busy laptop Airflow's one server can take its time.
_ANSWER_SECONDS = 120


@dataclass(frozen=True)
class DagRun:
    """A run of a DAG, as the REST API told it."""

    dag_id: str
    run_id: str
    state: str
    partition_key: str | None

    @property
    def is_finished(self) -> bool:
        return self.state in _FINISHED

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        return cls(body["dag_id"], body["dag_run_id"], body["state"], body.get("partition_key"))


class AirflowClient:
    """Talks to the api-server of one home; use it as a context manager."""

    def __init__(self, home: Home) -> None:
        self.url = f"http://127.0.0.1:{home.port('airflow')}"
        self._http = httpx.Client(base_url=self.url, timeout=_ANSWER_SECONDS)
        credentials = {"username": ADMIN, "password": home.secret("airflow-admin-password")}
        token = self.ask("POST", "/auth/token", json=credentials)["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def pause(self, dag_id: str) -> None:
        self._set_paused(dag_id, is_paused=True)

    def unpause(self, dag_id: str) -> None:
        self._set_paused(dag_id, is_paused=False)

    def trigger(self, dag_id: str, *, conf: dict[str, Any] | None = None, partition_key: str | None = None) -> DagRun:
        body = {"logical_date": None, "conf": conf or {}, "partition_key": partition_key}
        return DagRun.from_json(self.ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body))

    def clear(self, run: DagRun, task_id: str, *, downstream: bool = True) -> DagRun:
        """Has a task of a finished run, and what follows it, done again; its cluster then comes and goes once more."""
        body = {
            "dry_run": False, "dag_run_id": run.run_id, "task_ids": [task_id], "include_downstream": downstream,
            "only_failed": False, "reset_dag_runs": True,
        }  # fmt: skip
        self.ask("POST", f"/api/v2/dags/{run.dag_id}/clearTaskInstances", json=body)
        return self._read(run)

    def runs(self, dag_id: str) -> list[DagRun]:
        """The DAG's newest runs, newest first."""
        query: dict[str, str | int] = {"order_by": "-run_after", "limit": 50}
        body = self.ask("GET", f"/api/v2/dags/{dag_id}/dagRuns", params=query)
        return [DagRun.from_json(run) for run in body["dag_runs"]]

    def task_states(self, run: DagRun) -> dict[str, str | None]:
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        return {task["task_id"]: task["state"] for task in self.ask("GET", path)["task_instances"]}

    def task(self, run: DagRun, task_id: str) -> dict[str, Any]:
        """All that Airflow says of a task's newest try."""
        return self.ask("GET", f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}")

    def xcom(self, run: DagRun, task_id: str, key: str = "return_value") -> Any:
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        return self.ask("GET", path, params={"deserialize": "true"})["value"]

    def wait(
        self, run: DagRun, *, timeout: float, on_progress: Progress | None = None, until: str | None = None
    ) -> DagRun:
        """Waits until the run has ended, or its task `until` has, and returns the run.

        Raises:
            LocalCloudError: The run failed, or did not end within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not run.is_finished:
            if time.monotonic() > deadline:
                raise LocalCloudError(f"{run.dag_id} {run.run_id} should end within {timeout:.0f} s and is {run.state}")
            time.sleep(_POLL_SECONDS)
            run = self._read(run)
            states = self.task_states(run) if on_progress or until else {}
            if on_progress:
                on_progress(states)
            if until and states.get(until) in DONE:
                break
        if run.state == "failed":
            failed = [task for task, state in self.task_states(run).items() if state == "failed"]
            raise LocalCloudError(
                f"{run.dag_id} {run.run_id} failed in {', '.join(failed)}: see {self.run_url(run)} for the task's log"
            )
        return run

    def run_url(self, run: DagRun) -> str:
        return f"{self.url}/dags/{run.dag_id}/runs/{run.run_id}"

    def _set_paused(self, dag_id: str, *, is_paused: bool) -> None:
        self.ask("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": is_paused})

    def _read(self, run: DagRun) -> DagRun:
        return DagRun.from_json(self.ask("GET", f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}"))

    def ask(self, method: str, path: str, **details: Any) -> dict[str, Any]:
        """Any other call; `path` begins with `/api/v2`."""
        try:
            response = self._http.request(method, path, **details)
        except httpx.TransportError as error:
            raise LocalCloudError(
                f"Airflow should answer at {self.url} and did not ({error}): see `localcloud status`"
            ) from None
        if response.is_error:
            raise LocalCloudError(
                f"Airflow answered {method} {path} with {response.status_code}: {response.text[:300]}"
            )
        body: dict[str, Any] = response.json()
        return body
