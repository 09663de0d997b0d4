"""Bronze to silver, when rows arrived.

Starts when `ingest_events` brought rows. Customers are merged (SCD type 1), every version of a book is kept (SCD type
2), orders get their current state, and customers are merged with their orders.

**It is red: what now?** Open the failed task's log: its last lines hold the job's own sentence and the run's page.

- Clear the failed task and those after it: each reads on where it stopped, and reading an event again changes nothing.
- A table that is required and does not exist yet: run `ingest_events` first.
- `sync_storage_key`: Key Vault or the Azure connection; the log says what to set.
- `start_cluster`: the workspace refuses a cluster; the log has its words. That a cluster gets no machine shows in the
  first step. `stop_cluster`: the data is right, but look that no cluster is left; it ends by itself in ten minutes.
"""

from datetime import timedelta

from airflow.sdk import DAG

from include.assets import BRONZE
from include.cluster_operators import cluster_of_the_run
from include.dag_defaults import DEFAULT_ARGS, tags
from include.operators import SubmitJobOperator, SyncStorageKeyOperator
from include.parameters import compute

with DAG(
    dag_id="refresh_silver",
    description="Change data capture and merges: bronze to silver.",
    schedule=[BRONZE],
    catchup=False,
    # One writer per stream: what arrives meanwhile is the next run's.
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    default_args=DEFAULT_ARGS,
    tags=tags("silver", "gold"),
    params={"compute": compute()},
    doc_md=__doc__,
):
    sync_storage_key = SyncStorageKeyOperator(task_id="sync_storage_key")
    with cluster_of_the_run(after=sync_storage_key):
        merge_customers = SubmitJobOperator(task_id="merge_customers")
        upsert_books = SubmitJobOperator(task_id="upsert_books")
        merge_orders = SubmitJobOperator(task_id="merge_orders")
        merge_customer_orders = SubmitJobOperator(task_id="merge_customer_orders")
        [merge_customers, upsert_books] >> merge_orders >> merge_customer_orders
