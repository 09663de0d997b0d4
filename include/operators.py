"""What DAGs here are made of: steps, the storage key before them, and a question to a person."""

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from airflow.providers.databricks.exceptions import DatabricksApiError
from airflow.providers.databricks.hooks.databricks import RunState
from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Asset, AssetAlias, BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred

from include.compute import CAPABILITIES, Compute
from include.errors import ConfigurationError, JobFailedError
from include.kafka import kafka_secrets
from include.lineage import lineage_parameters, lineage_secrets
from include.parameters import COMPUTE
from include.results import failure_sentence, latest_task_run, parse_result, retry_helps, tail
from include.runs import STORAGE_KEY, Parameter, Payload, submit_payload
from include.settings import Settings
from include.submission import Submission

Result = dict[str, Any]

START_CLUSTER = "start_cluster"
"""The task whose result is the id of the cluster that the steps of a DAG run share."""

_NO_SUCH_CLUSTER = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}

# The same request would be refused again: it is wrong, or whoever sends it may not.
_REFUSALS = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


class SubmitJobOperator(DatabricksSubmitRunOperator):
    """Runs one step of the wheel on Databricks and returns the result that it printed; the task's id is the step.

    Args:
        parameters: The job's own arguments; a template that renders to nothing leaves its argument out.
        compute: What to run on; empty: what the configuration says.
        secrets: Environment variables of the step, each with the name of its secret in the scope.
        emits: Asset that gets an event when the result's `rows` is above 0.
        timeout: After this Databricks ends the run.
    """

    # The payload is no template: its {{secrets/...}} reference is for Databricks, not for Jinja.
    template_fields = ("parameters", "compute", "run_name", "databricks_conn_id")

    def __init__(
        self,
        *,
        parameters: Mapping[str, Parameter] | None = None,
        compute: str = COMPUTE,
        secrets: Mapping[str, str] | None = None,
        emits: Asset | None = None,
        timeout: timedelta = timedelta(hours=1),
        run_name: str = "{{ dag.dag_id }}.{{ task.task_id }} {{ partition_key or run_id }}",
        **kwargs: Any,
    ) -> None:
        outlets = [_alias(emits)] if emits else []
        # Twice as many tries as the provider's: they bridge a minute in which the workspace doesn't answer.
        super().__init__(run_name=run_name, deferrable=True, databricks_retry_limit=6, outlets=outlets, **kwargs)
        self.parameters = dict(parameters or {})
        self.compute = compute
        self.secrets = dict(secrets or {})
        self.emits = emits
        self.timeout = timeout
        self._result: Result | None = None
        self._submission: Submission | None = None

    def execute(self, context: Context) -> Result | None:
        try:
            settings = Settings.load()
            compute = settings.chosen_compute(self.compute)
            payload = submit_payload(
                settings,
                step=self.task_id,
                run_name=str(self.run_name),
                parameters=self.parameters | lineage_parameters(settings, context),
                compute=compute,
                timeout=self.timeout,
                secrets=self.secrets | lineage_secrets(settings),
                cluster_id=self._cluster_of_dag_run(context) if compute is Compute.DAG_CLUSTER else "",
            )
        except ConfigurationError as error:
            raise AirflowFailException(f"{self.task_id} was not submitted: {error}") from None
        self.polling_period_seconds = settings.poll_seconds
        self.log.info("Submitting wheel %s: %s", settings.wheel_version, json.dumps(payload))
        self._submit(context, payload)
        # Here the run was over before there was anything to wait for; otherwise the line above raised TaskDeferred.
        return self._result

    def _submit(self, context: Context, payload: Payload) -> None:
        submission = self._submission = Submission(context)
        self.json = payload | {"idempotency_token": submission.token}
        try:
            if submission.is_left_over and not self._is_of_use(self.submit_job(context)):
                self.json = payload | {"idempotency_token": submission.renew()}
            super().execute(context)
        except TaskDeferred:
            submission.end()
            raise
        except DatabricksApiError as error:
            if error.http_status_code in _REFUSALS:
                raise AirflowFailException(f"{self.task_id} was refused by Databricks: {error}") from None
            raise

    def _is_of_use(self, run_id: int) -> bool:
        """Whether a run that a killed try has left may still succeed, or has."""
        state = self._hook.get_run_state(run_id)
        return state.life_cycle_state != "TERMINATING" and (not state.is_terminal or state.is_successful)

    def _cluster_of_dag_run(self, context: Context) -> str:
        """The cluster's id; empty in a DAG of one step, and where somebody has deleted it."""
        cluster_id = context["ti"].xcom_pull(task_ids=START_CLUSTER)
        if cluster_id and self._exists(cluster_id):
            return str(cluster_id)
        self.log.info("This DAG run has no cluster to share (any more): %s brings one of its own", self.task_id)
        return ""

    def _exists(self, cluster_id: str) -> bool:
        """Whether the cluster is there, up or not: a run starts one that has ended."""
        try:
            self._hook.get_cluster_state(cluster_id)
        except DatabricksApiError as error:
            if error.http_status_code not in _NO_SUCH_CLUSTER:
                raise
            return False
        return True

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Result:  # type: ignore[override]
        if self._submission:
            self._submission.end()
        state = RunState.from_json(event["run_state"])
        self.log.info("Run %s ended %s: %s", event["run_id"], state.result_state, event["run_page_url"])
        run = self._hook.get_run(event["run_id"])
        output = self._output(run)
        if not state.is_successful:
            failure = f"{self.task_id} {failure_sentence(state, output)} ({event['run_page_url']})"
            raise JobFailedError(failure) if retry_helps(run, output) else AirflowFailException(failure)
        self._result = self._accepted(context, parse_result(self.task_id, output.get("logs") or ""))
        return self._result

    def _output(self, run: dict[str, Any]) -> dict[str, Any]:
        """What the run printed and raised, which is logged; nothing where it never came to run."""
        try:
            output: dict[str, Any] = self._hook.get_run_output(latest_task_run(run))
        except DatabricksApiError as error:
            self.log.warning("Databricks has no output of run %s: %s", run["run_id"], error)
            return {}
        for line in tail(output.get("logs") or "") + tail(output.get("error_trace") or ""):
            self.log.info("| %s", line)
        return output

    def _accepted(self, context: Context, result: Result) -> Result:
        if reason := result.get("skipped"):
            raise AirflowSkipException(f"{self.task_id} skipped: {reason}")
        if self.emits and (rows := result.get("rows", 0)) > 0:
            context["outlet_events"][_alias(self.emits)].add(self.emits, extra={"rows": rows})
        return result


def _alias(asset: Asset) -> AssetAlias:
    """An outlet that is an asset gets an event whenever the task succeeds; one behind an alias, only when told so."""
    return AssetAlias(f"{asset.name}.when_rows_arrived")


class SyncStorageKeyOperator(BaseOperator):
    """Puts the storage account's key from Key Vault into the Databricks secret scope, if it has changed.

    Kafka's password and the lineage catalogue's key too, where the configuration says that these ask for one.
    """

    template_fields = ("compute",)

    def __init__(
        self,
        *,
        compute: str = COMPUTE,
        azure_conn_id: str = "azure_default",
        databricks_conn_id: str = "databricks_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # Whoever clears a step has the key brought up to date again before.
        self.is_setup = True
        self.compute = compute
        self.azure_conn_id = azure_conn_id
        self.databricks_conn_id = databricks_conn_id

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        try:
            settings = Settings.load()
            compute = settings.chosen_compute(self.compute)
            if CAPABILITIES[compute].account_key:
                self._sync(settings, compute)
            else:
                self.log.info("%s compute reaches the lake without an account key: nothing to do", compute)
        except ConfigurationError as error:
            raise AirflowFailException(str(error)) from None

    def _sync(self, settings: Settings, compute: Compute) -> None:
        # Azure's and Databricks' clients take a second to import: paid by the task, not by every parse of a DAG file.
        from include.vault_secrets import read_vault, restart_if_older, store
        from include.workspace import workspace_client

        logging.getLogger("azure").setLevel(logging.WARNING)  # it would show each request with all its headers
        vault_url = settings.required("key_vault_url")
        workspace = workspace_client(self.databricks_conn_id)
        for name in _secret_names(settings):
            secret = read_vault(vault_url, self.azure_conn_id, name)
            changed = store(workspace, secret)
            self.log.info("%s, version %s: %s", name, secret.version, "stored" if changed else "unchanged")
        if compute is Compute.EXISTING_CLUSTER and restart_if_older(workspace, settings.cluster_id):
            self.log.info("Cluster %s had started with an older secret and restarts", settings.cluster_id)


class ApproveModelOperator(ApprovalOperator):
    """Asks a person whether a challenger becomes champion, where training has left that open; skipped otherwise.

    Args:
        training: The task whose result says so.
        patience: After this the answer is no.
    """

    def __init__(self, *, training: str, patience: timedelta, **kwargs: Any) -> None:
        of = f"ti.xcom_pull(task_ids='{training}')"
        super().__init__(
            subject=f"Shall model {{{{ {of}['model_version'] }}}} become champion?",
            body=f"{{{{ {of}['verdict'] }}}}\n\nk = {{{{ {of}['k'] }}}}, partition {{{{ {of}['snapshot_date'] }}}}. "
            "Nothing changes until somebody approves; the DAG `promote_model` can do it later, too.",
            defaults=self.REJECT,
            response_timeout=patience,
            **kwargs,
        )
        self.training = training

    def execute(self, context: Context) -> Any:
        result = context["ti"].xcom_pull(task_ids=self.training)
        if not result["awaits_approval"]:
            raise AirflowSkipException(f"nobody has to decide: {result['verdict']}")
        return super().execute(context)


def _secret_names(settings: Settings) -> list[str]:
    return [STORAGE_KEY, *kafka_secrets(settings).values(), *lineage_secrets(settings).values()]
