"""Another model becomes champion: the one before, to go back in one step, or any that was trained.

Triggered. Empty, the version is that of the model that was champion before the present one. It labels partitions from
the next run of `segment_customers` on; run that again for dates that are to be labelled anew. `gold.kmeans_models` says
which models there are and who has decided, `gold.customer_segments.model_version` which of them labelled which
partition.

**It is red: what now?** Open the failed task's log: its last lines hold the job's own sentence and the run's page.

- No model was champion before: pass the version of one of `gold.kmeans_models`.
- Clear the failed task: a request that was carried out is not carried out twice.
- `sync_storage_key`: Key Vault or the Azure connection; the log says what to set.
"""

from datetime import timedelta

from airflow.sdk import DAG

from include.dag_defaults import DEFAULT_ARGS, tags
from include.operators import SubmitJobOperator, SyncStorageKeyOperator
from include.parameters import compute, text

with DAG(
    dag_id="promote_model",
    description="Another model becomes champion: the one before, or any that was trained.",
    schedule=None,
    catchup=False,
    # Two at once would each go back from what the other one chose.
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=DEFAULT_ARGS,
    tags=tags("gold", "model"),
    params={
        "model_version": text("Model", "A `model_version` of `gold.kmeans_models`. Empty: the champion before."),
        "decided_by": text("Decided by", "Your name, for the record."),
        "compute": compute(),
    },
    doc_md=__doc__,
):
    sync_storage_key = SyncStorageKeyOperator(task_id="sync_storage_key")
    promote_model = SubmitJobOperator(
        task_id="promote_model",
        parameters={
            "model_version": "{{ params.model_version }}",
            "decided_by": "{{ params.decided_by }}",
            "requested_at": "{{ dag_run.run_after | ts }}",
        },
    )
    sync_storage_key >> promote_model
