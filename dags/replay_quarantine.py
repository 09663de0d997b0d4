"""Messages in quarantine once more.

Triggered, after the rules became better or somebody repaired messages in `bronze.repairs`. What can be read now goes to
bronze, once; the rest stays in `bronze.quarantine` under its newest reason. When messages went to bronze, the asset
`bookstore.bronze` gets an event, and `refresh_silver` starts. `docs/data-quality.md` says how to repair a message.

**It is red: what now?** Open the failed task's log: its last lines hold the job's own sentence and the run's page.

- `sync_storage_key`: Key Vault or the Azure connection; the log says what to set.
- `replay_quarantine`: clear the task. Killed anywhere, it goes on where it stopped: no message goes to bronze twice.
"""

from datetime import timedelta

from airflow.sdk import DAG

from include.assets import BRONZE
from include.dag_defaults import DEFAULT_ARGS, tags
from include.operators import SubmitJobOperator, SyncStorageKeyOperator
from include.parameters import compute, text

with DAG(
    dag_id="replay_quarantine",
    description="Messages in quarantine once more, repaired or under better rules.",
    schedule=None,
    catchup=False,
    # Two at once would both find the same message missing in bronze.
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=DEFAULT_ARGS,
    tags=tags("bronze"),
    params={
        "topic": text("Topic", "Only this topic's messages, e.g. `bookstore.orders`. Empty: all."),
        "reason_code": text("Reason", "Only messages under this `reason_code`. Empty: all."),
        "compute": compute(),
    },
    doc_md=__doc__,
):
    sync_storage_key = SyncStorageKeyOperator(task_id="sync_storage_key")
    replay_quarantine = SubmitJobOperator(
        task_id="replay_quarantine",
        parameters={"topic": "{{ params.topic }}", "reason_code": "{{ params.reason_code }}"},
        emits=BRONZE,
    )
    sync_storage_key >> replay_quarantine
