"""What a campaign brought: those who were written to beside those who were held out.

Triggered, with the campaign's id, once its days are over. For both groups it tells customers, buyers and revenue per
customer, by how much more of those who were written to bought, and whether the groups are as large as the draw makes
them. All of it, with a verdict in words, is in `gold.campaign_results`, in the task's result and on the next report.

**It is red: what now?** Open the failed task's log: its last lines hold the job's own sentence and the run's page.

- A campaign that nobody was exported for: the sentence has the newest ones' ids; run `export_audience` first.
- Clear the failed task: a campaign is measured anew, and its row replaced.
- `sync_storage_key`: Key Vault or the Azure connection; the log says what to set.
"""

from datetime import timedelta

from airflow.sdk import DAG

from include.dag_defaults import DEFAULT_ARGS, tags
from include.operators import SubmitJobOperator, SyncStorageKeyOperator
from include.parameters import campaign, compute, whole_number

with DAG(
    dag_id="measure_campaign",
    description="By how much more of a campaign's customers bought than of those held out.",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=DEFAULT_ARGS,
    tags=tags("gold", "campaign"),
    params={
        "campaign": campaign("The id that it was exported with."),
        "response_days": whole_number(
            None,
            minimum=1,
            title="Days to respond",
            description="Orders of this many days after the export count. Empty: the days that `export_audience` "
            "reckons with.",
        ),
        "compute": compute(),
    },
    doc_md=__doc__,
):
    sync_storage_key = SyncStorageKeyOperator(task_id="sync_storage_key")
    measure_campaign = SubmitJobOperator(
        task_id="measure_campaign",
        parameters={
            "campaign": "{{ params.campaign }}",
            "response_days": "{{ params.response_days or '' }}",
        },
    )
    sync_storage_key >> measure_campaign
