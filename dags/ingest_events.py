"""Kafka to bronze, every ten minutes.

Reads what is new in the topics `bookstore.customers`, `bookstore.books` and `bookstore.orders` into the bronze tables.
A message that can't be read goes to `bronze.quarantine` with a reason and stops nothing. When rows arrived, the asset
`bookstore.bronze` gets an event, and `refresh_silver` starts.

**It is red: what now?** Open the failed task's log: its last lines hold the job's own sentence and the run's page.

- `sync_storage_key`: Key Vault or the Azure connection; the log says what to set.
- `ingest_events`: most often Kafka is out of reach. Clear the task: offsets are kept with the data, so nothing is read
  twice or left out, whatever happened before.
- Messages that are gone, a topic that was made anew, bronze that is too old: `docs/data-quality.md` says what to do.

**Real time.** With `realtime` the run stays for 50 minutes and takes messages within seconds; then the next run goes on
where it stopped. While it stays, no other run of this DAG starts, so that two never read at once. Silver is refreshed
when it ends.
"""

from datetime import timedelta

from airflow.sdk import DAG

from include.assets import BRONZE
from include.dag_defaults import DEFAULT_ARGS, tags
from include.kafka import kafka_parameters, kafka_secrets
from include.operators import SubmitJobOperator, SyncStorageKeyOperator
from include.parameters import compute, one_of, yes_or_no
from include.settings import Settings

with DAG(
    dag_id="ingest_events",
    description="Kafka topics to bronze tables.",
    schedule="*/10 * * * *",
    catchup=False,
    # One writer: what a run leaves, the next one takes.
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=DEFAULT_ARGS,
    tags=tags("bronze"),
    params={
        "realtime": yes_or_no(
            Settings.load().realtime,
            title="Real time",
            description="Stay and take messages as they arrive, instead of those that are there.",
        ),
        "lost_messages": one_of(
            Settings.load().lost_messages,
            ["stop", "record"],
            title="Messages that Kafka deleted unread",
            description="`stop` and say which, or go on and `record` the gap in `ops.ingest_audit`.",
        ),
        "compute": compute(),
    },
    doc_md=__doc__,
):
    sync_storage_key = SyncStorageKeyOperator(task_id="sync_storage_key")
    ingest_events = SubmitJobOperator(
        task_id="ingest_events",
        parameters=kafka_parameters(Settings.load())
        | {
            "realtime": "{{ 'true' if params.realtime else '' }}",
            "lost_messages": "{{ params.lost_messages }}",
            "max_age_minutes": Settings.load().max_bronze_age_minutes or None,
            "max_quarantined_percent": Settings.load().max_quarantined_percent,
        },
        secrets=kafka_secrets(Settings.load()),
        emits=BRONZE,
    )
    sync_storage_key >> ingest_events
