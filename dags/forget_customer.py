"""One customer erased everywhere, for good.

Triggered, with the customer's id and the same id again. The payloads of their messages in bronze and quarantine become
empty, their rows and orders go from silver and gold and from all earlier partitions, and the campaigns' files are
written anew. Files of earlier versions are removed by the next `maintain_tables`, once no job can need them any more;
with `alone`, for which nothing else may be writing, at once. Messages about the customer that arrive
later are blanked. The task's result, and `ops.erasures`, say how many rows went where, and name nobody; the rest stands
in `docs/forgetting.md`.

**It is red: what now?** Open the failed task's log: its last lines hold the job's own sentence and the run's page.

- Clear the failed task: killed anywhere, it goes on and erases what is left.
- `--confirm must be the customer_id once more`: nothing was erased; trigger it with the right id twice.
- Another job wrote at the same moment, or had rows again after 3 rounds: wait until `refresh_silver` and
  `segment_customers` are done, then clear it. A red task of those at this time read files that are gone: clear it too.
- `sync_storage_key`: Key Vault or the Azure connection; the log says what to set.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from include.dag_defaults import DEFAULT_ARGS, tags
from include.operators import SubmitJobOperator, SyncStorageKeyOperator
from include.parameters import compute, yes_or_no

with DAG(
    dag_id="forget_customer",
    description="One customer erased everywhere, for good.",
    schedule=None,
    catchup=False,
    # Each removes files that another one may be reading.
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    default_args=DEFAULT_ARGS,
    tags=tags("bronze", "silver", "gold", "privacy"),
    params={
        "customer_id": Param(type="integer", title="Customer", description_md="The id of who is to be erased."),
        "confirm": Param(
            type="integer",
            title="The same id again",
            description_md="Nothing brings back what is erased, so the job asks twice.",
        ),
        "alone": yes_or_no(
            False,
            title="Nothing else is running",
            description="Only with all other DAGs paused and idle: old files go at once, not with `maintain_tables`.",
        ),
        "compute": compute(),
    },
    doc_md=__doc__,
):
    sync_storage_key = SyncStorageKeyOperator(task_id="sync_storage_key")
    forget_customer = SubmitJobOperator(
        task_id="forget_customer",
        parameters={
            "customer_id": "{{ params.customer_id }}",
            "confirm": "{{ params.confirm }}",
            "alone": "{{ 'true' if params.alone else '' }}",
        },
        timeout=timedelta(hours=3),
    )
    sync_storage_key >> forget_customer
