"""What the operators make of a run's end; the hook is the narrow place where Databricks' answers come in."""

import datetime as dt
import json
import re
from typing import Any

import pytest
from airflow.providers.databricks.exceptions import DatabricksApiError
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Asset, AssetAlias
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred

from include.cluster_operators import StartClusterOperator, StopClusterOperator
from include.errors import JobFailedError
from include.operators import ApproveModelOperator, SubmitJobOperator, SyncStorageKeyOperator
from include.parameters import AS_CONFIGURED, SNAPSHOT_DATE, compute, snapshot_date

PAGE = "http://workspace/runs/7"
ROWS = 'reading\nRESULT {"step": "ingest_events", "rows": 3}\n'


class Hook:
    """Databricks as one run sees it: what was submitted, and a state and an output as told."""

    def __init__(self, state: dict[str, str], output: dict[str, Any] | None) -> None:
        self.state = state
        self.output = output
        self.submitted: list[dict[str, Any]] = []
        self.clusters: set[str] = set()
        self.refusal = 400
        self.refused: DatabricksApiError | None = None

    def get_cluster_state(self, cluster_id: str) -> str:
        if cluster_id not in self.clusters:
            raise DatabricksApiError(f"Cluster {cluster_id} does not exist", http_status_code=self.refusal)
        return "TERMINATED"

    def submit_run(self, payload: dict[str, Any]) -> int:
        if self.refused:
            raise self.refused
        self.submitted.append(payload)
        return 7

    def get_job_id(self, _: int) -> int:
        return 1

    def get_run_page_url(self, _: int) -> str:
        return PAGE

    def get_run(self, run_id: int) -> dict[str, Any]:
        task = {"task_key": "ingest_events", "run_id": 8, "attempt_number": 0, "state": self.state}
        return {"run_id": run_id, "state": self.state, "tasks": [task]}

    def get_run_output(self, run_id: int) -> dict[str, Any]:
        if run_id != 8 or self.output is None:
            raise DatabricksApiError(f"run {run_id} has no output", http_status_code=400)
        return self.output


class TaskInstance:
    def __init__(self, cluster_id: str | None) -> None:
        self.xcoms: dict[str, Any] = {}
        self.cluster_id = cluster_id

    def xcom_pull(self, task_ids: str) -> str | None:
        assert task_ids == "start_cluster"
        return self.cluster_id

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


class Events(dict[Any, Any]):
    """`outlet_events`: what was added to each outlet."""

    def __missing__(self, key: Any) -> Any:
        self[key] = Added()
        return self[key]


class Added:
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def add(self, asset: Asset, extra: dict[str, Any]) -> None:
        self.events.append((asset.name, extra))


def operator(hook: Hook, **arguments: Any) -> SubmitJobOperator:
    task = SubmitJobOperator(task_id="ingest_events", compute="", run_name="a run", **arguments)
    task.__dict__["_hook"] = hook
    return task


def context(cluster_id: str | None = None) -> Any:
    return {"ti": TaskInstance(cluster_id), "outlet_events": Events()}


def ended(result: str, message: str = "") -> dict[str, str]:
    return {"life_cycle_state": "TERMINATED", "result_state": result, "state_message": message}


def test_run_that_goes_on_is_deferred_and_its_page_is_known() -> None:
    hook = Hook({"life_cycle_state": "PENDING"}, {})
    around = context()
    with pytest.raises(TaskDeferred) as deferred:
        operator(hook).execute(around)
    assert deferred.value.method_name == "execute_complete"
    _, trigger = deferred.value.trigger.serialize()
    assert (trigger["run_id"], trigger["run_page_url"], trigger["polling_period_seconds"]) == (7, PAGE, 15)
    assert around["ti"].xcoms == {"job_id": 1, "run_id": 7, "run_page_url": PAGE}


def placement(hook: Hook) -> dict[str, Any]:
    (run,) = hook.submitted
    return {name: value for name, value in run["tasks"][0].items() if "cluster" in name}


def test_a_step_runs_on_the_cluster_of_its_dag_run_also_when_that_has_ended() -> None:
    hook = Hook(ended("SUCCESS"), {"logs": ROWS})
    hook.clusters = {"1125-run"}
    operator(hook).execute(context("1125-run"))
    assert placement(hook) == {"existing_cluster_id": "1125-run"}


@pytest.mark.parametrize("started", ["1125-run", None])
def test_a_step_whose_cluster_is_gone_brings_one_of_its_own(
    started: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = Hook(ended("SUCCESS"), {"logs": ROWS})
    operator(hook).execute(context(started))
    assert list(placement(hook)) == ["new_cluster"]
    assert "has no cluster to share (any more): ingest_events brings one of its own" in capsys.readouterr().out


def test_a_workspace_that_is_down_is_no_reason_for_a_cluster_of_its_own() -> None:
    hook = Hook(ended("SUCCESS"), {"logs": ROWS})
    hook.refusal = 503
    with pytest.raises(DatabricksApiError):
        operator(hook).execute(context("1125-run"))
    assert hook.submitted == []


def test_with_another_compute_there_is_no_cluster_to_start_or_delete(capsys: pytest.CaptureFixture[str]) -> None:
    assert StartClusterOperator(task_id="start_cluster", compute="job_cluster").execute(context()) is None
    StopClusterOperator(task_id="stop_cluster").execute(context())
    said = capsys.readouterr().out
    assert "job_cluster needs no cluster of the DAG run: nothing to do" in said
    assert "start_cluster has started no cluster: nothing to do" in said


def test_run_that_is_over_at_once_gives_its_result() -> None:
    hook = Hook(ended("SUCCESS"), {"logs": ROWS})
    assert operator(hook).execute(context()) == {"step": "ingest_events", "rows": 3}


def test_run_that_fails_at_once_is_red() -> None:
    hook = Hook(ended("FAILED", "see the output"), {"error": "ArgumentError: --k must be a whole number, found 'x'"})
    with pytest.raises(JobFailedError) as failed:
        operator(hook).execute(context())
    assert str(failed.value) == (f"ingest_events FAILED: ArgumentError: --k must be a whole number, found 'x' ({PAGE})")


def test_a_job_that_says_so_is_not_tried_again() -> None:
    told = {"logs": 'FAILURE {"kind": "ArgumentError", "retry_helps": false}', "error": "ArgumentError: no day 32"}
    with pytest.raises(AirflowFailException, match="ingest_events FAILED: ArgumentError: no day 32"):
        operator(Hook(ended("FAILED"), told)).execute(context())


@pytest.mark.parametrize(
    ("status", "kind"), [(400, AirflowFailException), (403, AirflowFailException), (429, DatabricksApiError)]
)
def test_a_refused_request_is_not_repeated(status: int, kind: type[Exception]) -> None:
    hook = Hook(ended("SUCCESS"), {"logs": ROWS})

    hook.refused = DatabricksApiError("not so", http_status_code=status)
    with pytest.raises(kind, match="not so"):
        operator(hook).execute(context())


def test_the_grid_links_to_the_run_on_databricks() -> None:
    (link,) = operator(Hook(ended("SUCCESS"), {})).operator_extra_links
    assert link.name == "See Databricks Job Run"


def test_run_without_an_output_fails_with_what_databricks_says() -> None:
    event = {"run_id": 7, "run_page_url": PAGE, "errors": [], "run_state": json.dumps(ended("FAILED", "No capacity"))}
    with pytest.raises(JobFailedError, match="ingest_events FAILED: No capacity"):
        operator(Hook(ended("FAILED"), output=None)).execute_complete(context(), event)


def test_log_has_the_tail_of_the_output_and_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    hook = Hook(ended("FAILED"), {"logs": "reading\n", "error": "JobError: no", "error_trace": "Traceback\n  line 1"})
    with pytest.raises(JobFailedError):
        operator(hook).execute(context())
    assert re.findall(r"\] (\|.*?) +\[", capsys.readouterr().out) == ["| reading", "| Traceback", "|   line 1"]


def test_job_that_skips_skips_the_task_with_its_reason() -> None:
    hook = Hook(ended("SUCCESS"), {"logs": 'RESULT {"step": "assign_segments", "skipped": "no champion"}'})
    with pytest.raises(AirflowSkipException, match="ingest_events skipped: no champion"):
        operator(hook).execute(context())


@pytest.mark.parametrize(("rows", "events"), [(3, [("bronze", {"rows": 3})]), (0, [])])
def test_asset_gets_an_event_only_when_rows_arrived(rows: int, events: list[Any]) -> None:
    hook = Hook(ended("SUCCESS"), {"logs": f'RESULT {{"rows": {rows}, "quarantined": 9}}'})
    around = context()
    task = operator(hook, emits=Asset(name="bronze"))
    task.execute(around)
    assert task.outlets == [AssetAlias("bronze.when_rows_arrived")]
    assert [event for added in around["outlet_events"].values() for event in added.events] == events


def test_what_cannot_work_is_refused_before_anything_is_submitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKSTORE_WHEEL", "")
    hook = Hook(ended("SUCCESS"), {"logs": ROWS})
    with pytest.raises(AirflowFailException, match="ingest_events was not submitted: BOOKSTORE_WHEEL is required"):
        operator(hook).execute(context())
    assert hook.submitted == []


def test_the_secrets_reference_survives_rendering() -> None:
    hook = Hook(ended("SUCCESS"), {"logs": ROWS})
    task = rendered(operator(hook, parameters={"snapshot_date": SNAPSHOT_DATE}), partition_key="2026-01-31")
    task.execute(context())
    (run,) = hook.submitted
    key = "spark.hadoop.fs.azure.account.key.bookstorelake.dfs.core.windows.net"
    assert run["tasks"][0]["new_cluster"]["spark_conf"][key] == "{{secrets/bookstore/adls-account-key}}"
    assert run["tasks"][0]["python_wheel_task"]["named_parameters"]["snapshot_date"] == "2026-01-31"


class DagRun:
    run_after = dt.datetime(2026, 3, 1, 0, 30, tzinfo=dt.UTC)


def rendered(
    task: SubmitJobOperator, *, conf: str | None = None, partition_key: str | None = None, chosen: str = AS_CONFIGURED
) -> SubmitJobOperator:
    from airflow.sdk.execution_time.context import MacrosAccessor

    with DAG("segment_customers", schedule=None):
        variables = {
            "params": {"snapshot_date": conf, "compute": chosen},
            "partition_key": partition_key,
            "dag_run": DagRun(),
            "macros": MacrosAccessor(),
        }
        task.render_template_fields(variables)  # type: ignore[arg-type] # a part of a context is enough
    return task


@pytest.mark.parametrize(
    ("conf", "partition_key", "expected"),
    [
        ("2026-01-15", "2026-01-31", "2026-01-15"),
        (None, "2026-01-31", "2026-01-31"),
        # No logical date either: a run that was due on 1 March describes 28 February, on every retry.
        (None, None, "2026-02-28"),
    ],
)
def test_snapshot_date_is_the_conf_else_the_partition_else_yesterday(
    conf: str | None, partition_key: str | None, expected: str
) -> None:
    task = SubmitJobOperator(
        task_id="aggregate_rfm", compute="", parameters={"snapshot_date": SNAPSHOT_DATE}, run_name=""
    )
    assert rendered(task, conf=conf, partition_key=partition_key).parameters == {"snapshot_date": expected}


@pytest.mark.parametrize(("chosen", "expected"), [("as_configured", ""), ("serverless", "serverless")])
def test_compute_is_what_the_run_says(chosen: str, expected: str) -> None:
    assert rendered(SubmitJobOperator(task_id="aggregate_rfm", run_name=""), chosen=chosen).compute == expected


def test_trigger_form_takes_dates_and_known_compute_only() -> None:
    date = snapshot_date("a date")
    assert date.resolve("2026-01-31") == "2026-01-31"
    assert date.resolve(None) is None
    with pytest.raises(ValueError, match="is not a 'date'"):
        date.resolve("31.01.2026")
    with pytest.raises(ValueError, match="'laptop' is not one of"):
        compute().resolve("laptop")


def test_serverless_has_no_key_to_sync(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BOOKSTORE_CATALOG", "main")
    SyncStorageKeyOperator(task_id="sync_storage_key", compute="serverless").execute({})
    assert "serverless compute reaches the lake without an account key: nothing to do" in capsys.readouterr().out


def test_sync_without_a_vault_says_what_to_set() -> None:
    with pytest.raises(AirflowFailException, match="AZURE_KEY_VAULT_URL is required and is not set"):
        SyncStorageKeyOperator(task_id="sync_storage_key", compute="").execute({})


def trained(*, awaits_approval: bool) -> Any:
    result = {"model_version": "v7", "verdict": "not champion: worse", "awaits_approval": awaits_approval}

    class Trained:
        def xcom_pull(self, task_ids: str) -> dict[str, Any]:
            assert task_ids == "train_kmeans"
            return result

    return {"ti": Trained(), "task_instance": Trained()}


def test_a_person_is_asked_about_a_model_only_where_training_left_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    approval = ApproveModelOperator(task_id="approve_model", training="train_kmeans", patience=dt.timedelta(days=5))
    with pytest.raises(AirflowSkipException, match="nobody has to decide: not champion: worse"):
        approval.execute(trained(awaits_approval=False))
    asked: list[Any] = []
    monkeypatch.setattr(ApprovalOperator, "execute", lambda _, context: asked.append(context))
    approval.execute(trained(awaits_approval=True))
    assert len(asked) == 1


def test_the_question_has_the_model_and_the_figures() -> None:
    approval = ApproveModelOperator(task_id="approve_model", training="train_kmeans", patience=dt.timedelta(days=5))
    result = {"model_version": "v7", "verdict": "not champion: worse", "k": 8, "snapshot_date": "2026-01-31"}
    ti = type("Trained", (), {"xcom_pull": lambda *_, task_ids: result if task_ids == "train_kmeans" else None})()
    approval.render_template_fields({"ti": ti})
    assert approval.subject == "Shall model v7 become champion?"
    assert approval.body is not None
    assert approval.body.startswith("not champion: worse\n\nk = 8, partition 2026-01-31.")
    assert approval.options == ["Approve", "Reject"]
