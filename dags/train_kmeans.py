"""K-Means on the latest RFM partition, every week.

Mondays, or triggered. The trained model is a challenger; it becomes champion only if it deserves it, and
`segment_customers` then assigns its segments from the next run on.

**It is red: what now?** Open the failed task's log: its last lines hold the job's own sentence and the run's page.

- It is skipped, not red, while `gold.rfm` has no partition at all; one that is asked for by date and missing is red:
  run `segment_customers` for that date first.
- Clear the failed task: the same partition and seed give the same model.
- `sync_storage_key`: Key Vault or the Azure connection; the log says what to set.
"""

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable

from include.dag_defaults import DEFAULT_ARGS, tags
from include.operators import SubmitJobOperator, SyncStorageKeyOperator
from include.parameters import compute, snapshot_date, whole_number

with DAG(
    dag_id="train_kmeans",
    description="K-Means on the latest RFM partition; a challenger becomes champion if it deserves it.",
    # With no run yet, only the next Monday counts: a new installation has nothing to train on.
    schedule=CronTriggerTimetable("0 3 * * 1", timezone="UTC", run_immediately=timedelta(0)),
    catchup=False,
    # Two challengers at once could both beat the same champion.
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
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
    sync_storage_key >> train_kmeans
