"""Compaction, vacuum and retention of all the lake's tables, every week.

Sundays, or triggered. Small files are brought together, files that no table needs any more are removed once they are
old enough, and change data capture forgets events that nothing can come before any more. Readers see no difference.

**It is red: what now?** Open the failed task's log: its last lines hold the job's own sentence and the run's page.

- Another job wrote to a table at the same moment: clear the failed task. What was done stays done.
- `sync_storage_key`: Key Vault or the Azure connection; the log says what to set.
"""

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable

from include.dag_defaults import DEFAULT_ARGS, tags
from include.operators import SubmitJobOperator, SyncStorageKeyOperator
from include.parameters import compute, whole_number

with DAG(
    dag_id="maintain_tables",
    description="Compaction, vacuum and retention of all the lake's tables.",
    # With no run yet, only the next Sunday counts: a new installation has nothing to tidy.
    schedule=CronTriggerTimetable("0 4 * * 0", timezone="UTC", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=DEFAULT_ARGS,
    tags=tags("bronze", "silver", "gold"),
    params={
        "forget_after_days": whole_number(
            None,
            minimum=0,
            title="Forget events after (days)",
            description="How much later an event may come than one it should have come before. Empty: 90.",
        ),
        "keep_files_days": whole_number(
            None,
            minimum=7,
            title="Keep files (days)",
            description="How long time travel and streams that stood still can reach back. Empty: 30.",
        ),
        "compute": compute(),
    },
    doc_md=__doc__,
):
    sync_storage_key = SyncStorageKeyOperator(task_id="sync_storage_key")
    maintain_tables = SubmitJobOperator(
        task_id="maintain_tables",
        parameters={
            name: f"{{{{ params.{name} if params.{name} is not none else '' }}}}"
            for name in ("forget_after_days", "keep_files_days")
        },
        timeout=timedelta(hours=4),
    )
    sync_storage_key >> maintain_tables
