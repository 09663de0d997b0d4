"""K-Means on the latest RFM partition, every week.

Mondays, or triggered. The trained model is a challenger; it becomes champion if it tells the customers apart as well as
the champion does, and `segment_customers` then assigns its segments from the next run on. One that is worse, or that
would move more than a fifth of the customers to other segments though the data has not moved, waits for a person: the
task `approve_model` shows why, under **Required Actions**. On **Approve**, `promote_model` makes it champion; on
**Reject**, or without an answer within five days, nothing changes.

**It is red: what now?** Open the failed task's log: its last lines hold the job's own sentence and the run's page.

- It is skipped, not red, while `gold.rfm` has no partition at all; one that is asked for by date and missing is red:
  run `segment_customers` for that date first.
- `approve_model` and `promote_model` are skipped, not red, where nobody has to decide.
- Clear the failed task: the same partition and seed give the same model.
- `sync_storage_key`: Key Vault or the Azure connection; the log says what to set.
"""

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable

from include.dag_defaults import DEFAULT_ARGS, tags
from include.operators import ApproveModelOperator, SubmitJobOperator, SyncStorageKeyOperator
from include.parameters import APPROVED_BY, compute, snapshot_date, whole_number

with DAG(
    dag_id="train_kmeans",
    description="K-Means on the latest RFM partition; a challenger becomes champion if it deserves it.",
    # With no run yet, only the next Monday counts: a new installation has nothing to train on.
    schedule=CronTriggerTimetable("0 3 * * 1", timezone="UTC", run_immediately=timedelta(0)),
    catchup=False,
    # Two challengers at once could both beat the same champion.
    max_active_runs=1,
    # Long enough for a person to answer, and over before the next Monday.
    dagrun_timeout=timedelta(days=6),
    default_args=DEFAULT_ARGS,
    tags=tags("gold", "model"),
    params={
        "snapshot_date": snapshot_date("The RFM partition to train on. Empty: the latest one."),
        "k": whole_number(
            None, minimum=2, title="Clusters", description="How many clusters. Empty: the best between the two below."
        ),
        "k_min": whole_number(None, minimum=2, title="Fewest clusters", description="Empty: the job's default."),
        "k_max": whole_number(None, minimum=2, title="Most clusters", description="Empty: the job's default."),
        "seed": whole_number(
            None, minimum=0, title="Seed", description="The same seed gives the same model. Empty: the job's default."
        ),
        "compute": compute(),
    },
    doc_md=__doc__,
):
    sync_storage_key = SyncStorageKeyOperator(task_id="sync_storage_key")
    train_kmeans = SubmitJobOperator(
        task_id="train_kmeans",
        parameters={
            name: f"{{{{ params.{name} if params.{name} is not none else '' }}}}"
            for name in ("snapshot_date", "k", "k_min", "k_max", "seed")
        },
    )
    approve_model = ApproveModelOperator(task_id="approve_model", training="train_kmeans", patience=timedelta(days=5))
    promote_model = SubmitJobOperator(
        task_id="promote_model",
        parameters={
            "model_version": "{{ ti.xcom_pull(task_ids='train_kmeans')['model_version'] }}",
            "decided_by": APPROVED_BY,
        },
    )
    sync_storage_key >> train_kmeans >> approve_model >> promote_model
