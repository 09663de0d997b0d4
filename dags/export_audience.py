"""A segment's customers for one campaign, as files that a campaign's tool can read.

Triggered, with the campaign's id and a segment. Only customers who agreed to marketing are in it, nobody is twice in
one campaign, and a share drawn by a hash is held out, so that the campaign's effect can be told afterwards. The files
are in the lake under `audiences/<campaign>/<date>`; who is in which group is in `gold.audiences`.

**It is red: what now?** Open the failed task's log: its last lines hold the job's own sentence and the run's page.

- A partition of `gold.rfm` that is required and missing: run `segment_customers` for that date first.
- Clear the failed task: nobody is added twice, and everybody stays in the group that they were drawn for.
- `sync_storage_key`: Key Vault or the Azure connection; the log says what to set.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from include.dag_defaults import DEFAULT_ARGS, tags
from include.operators import SubmitJobOperator, SyncStorageKeyOperator
from include.parameters import campaign, compute, snapshot_date

with DAG(
    dag_id="export_audience",
    description="A segment's customers with marketing consent, for a campaign.",
    schedule=None,
    catchup=False,
    # Two exports of one campaign at once could both take the same customer.
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=DEFAULT_ARGS,
    tags=tags("gold", "campaign"),
    params={
        "campaign": campaign("Its id: small letters, digits and hyphens. The same id adds to the same campaign."),
        "segment": Param(
            "Champions",
            type="string",
            title="Segment",
            description_md="The RFM segment to write to, as the report has it.",
        ),
        "snapshot_date": snapshot_date("The RFM partition to take it from. Empty: the latest one."),
        "held_out_share": Param(
            0.1,
            type="number",
            minimum=0,
            exclusiveMaximum=1,
            title="Held out",
            description_md="The share of the audience that is not written to, to compare with.",
        ),
        "compute": compute(),
    },
    doc_md=__doc__,
):
    sync_storage_key = SyncStorageKeyOperator(task_id="sync_storage_key")
    export_audience = SubmitJobOperator(
        task_id="export_audience",
        parameters={
            "campaign": "{{ params.campaign }}",
            "segment": "{{ params.segment }}",
            "snapshot_date": "{{ params.snapshot_date or '' }}",
            "held_out_share": "{{ params.held_out_share }}",
        },
    )
    sync_storage_key >> export_audience
