"""RFM, segments, value, recommendations and the report, one run per date.

The partition's key is the `snapshot_date`: each customer's recency, frequency and monetary value as of that day, the
champion model's segment for each of them, what they can be expected to buy, books to offer them, and the report. A
partition depends on the silver tables, the date and `lookback_days` alone, so that it can be run again, in any order,
in parallel, and replaces only itself. `measure_drift` compares a date with the one before, so it also writes the next
date's comparison anew.

- One day: **Trigger**, with a partition key such as `2026-01-31`.
- A range: `airflow backfill create --dag-id segment_customers --from-date 2026-01-01 --to-date 2026-01-31`;
  add `--reprocess-behavior completed` for dates that have run before.

**It is red: what now?** Open the failed task's log: its last lines hold the job's own sentence and the run's page.

- Clear the failed task: the partition is written again as a whole.
- All of it is skipped while there is no silver table, or no order that counts: run `ingest_events`, then clear it.
- `--scheme` in the sentence: `BOOKSTORE_RFM_SCHEME` is not as it must be; without it, the rest goes on.
- `assign_segments` is skipped, not red, while there is no champion model: run `train_kmeans`.
- `measure_drift` is skipped on the first date, `estimate_value` while too few customers have bought twice; the report
  is written without them.
- `sync_storage_key`: Key Vault or the Azure connection; the log says what to set.
- `start_cluster`: the workspace refuses a cluster; the log has its words. That a cluster gets no machine shows in the
  first step. `stop_cluster`: the data is right, but look that no cluster is left; it ends by itself in ten minutes.
"""

from datetime import timedelta

from airflow.sdk import DAG, CronPartitionTimetable, TriggerRule

from include.cluster_operators import cluster_of_the_run
from include.dag_defaults import DEFAULT_ARGS, tags
from include.operators import SubmitJobOperator, SyncStorageKeyOperator
from include.parameters import SNAPSHOT_DATE, compute, snapshot_date, whole_number
from include.settings import Settings

with DAG(
    dag_id="segment_customers",
    description="RFM, K-Means segments, value, recommendations and the report as of one date.",
    schedule=CronPartitionTimetable("0 0 * * *", timezone="UTC", run_offset=-1, key_format="%Y-%m-%d"),
    catchup=False,
    # Partitions share no rows, so they can run side by side; more than a few only wait for clusters.
    max_active_runs=4,
    dagrun_timeout=timedelta(hours=4),
    default_args=DEFAULT_ARGS,
    tags=tags("gold"),
    params={
        "snapshot_date": snapshot_date(
            "The day as of which customers are described. Empty: the partition key, else yesterday (UTC)."
        ),
        "lookback_days": whole_number(
            365,
            minimum=0,
            title="Days to look back",
            description="Orders of this many days up to the snapshot date count; `0`: all of them.",
        ),
        "compute": compute(),
    },
    doc_md=__doc__,
):
    sync_storage_key = SyncStorageKeyOperator(task_id="sync_storage_key")
    with cluster_of_the_run(after=sync_storage_key):
        aggregate_rfm = SubmitJobOperator(
            task_id="aggregate_rfm",
            parameters={
                "snapshot_date": SNAPSHOT_DATE,
                "lookback_days": "{{ params.lookback_days }}",
                "scheme": Settings.load().rfm_scheme,
            },
        )
        assign_segments = SubmitJobOperator(task_id="assign_segments", parameters={"snapshot_date": SNAPSHOT_DATE})
        measure_drift = SubmitJobOperator(
            task_id="measure_drift",
            parameters={"snapshot_date": SNAPSHOT_DATE},
            # Without a champion assign_segments is skipped, and RFM alone is compared.
            trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
        )
        estimate_value = SubmitJobOperator(task_id="estimate_value", parameters={"snapshot_date": SNAPSHOT_DATE})
        recommend_books = SubmitJobOperator(task_id="recommend_books", parameters={"snapshot_date": SNAPSHOT_DATE})
        write_report = SubmitJobOperator(
            task_id="write_report",
            parameters={"snapshot_date": SNAPSHOT_DATE},
            # What was skipped the report does without, and says so; without RFM there is nothing to report.
            trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
        )
        aggregate_rfm >> [assign_segments, estimate_value, recommend_books] >> write_report
        [aggregate_rfm, assign_segments] >> measure_drift >> write_report
        aggregate_rfm >> write_report
