"""Events, held against those that OpenLineage's own client makes of the same facts."""

import datetime as dt
import re
from typing import Any

import pytest
from openlineage.client import event_v2 as openlineage
from openlineage.client import facet_v2 as facets
from openlineage.client.generated.base import EventType, RunEvent
from openlineage.client.naming.dataset import ABFSS, Kafka
from openlineage.client.serde import Serde

from spark_jobs.errors import ArgumentError, MissingTableError
from spark_jobs.lake import Lake
from spark_jobs.lineage.columns import ColumnLineage
from spark_jobs.lineage.datasets import table_dataset, topic_dataset
from spark_jobs.lineage.events import RunName, TracedRun
from spark_jobs.lineage.facets import PRODUCER
from spark_jobs.tables import BOOK_REVISIONS, ORDERS, Table

LAKE = Lake("abfss://bookstore@account.dfs.core.windows.net/lake", "main")
NOW = dt.datetime(2026, 1, 31, 10, 15, tzinfo=dt.UTC)
RUN = RunName("bookstore", "merge_orders", "0b5e0b6c-2f55-4a7c-9d6c-0c7a2b3b3b01")
TASK = RunName("bookstore", "refresh_silver.merge_orders", "0b5e0b6c-2f55-4a7c-9d6c-0c7a2b3b3b02")
DAG_RUN = RunName("bookstore", "refresh_silver", "0b5e0b6c-2f55-4a7c-9d6c-0c7a2b3b3b03")
LINEAGE = ColumnLineage(
    {"recorded_at": frozenset({(ORDERS, "updated_at"), (ORDERS, "ordered_at")})}, frozenset({(ORDERS, "status")})
)


@pytest.fixture(autouse=True)
def producer() -> None:
    openlineage.set_producer(PRODUCER)


def without_empty(value: Any) -> Any:
    """Leaves out what a client writes for facts that nobody gave: the specification says the same of both."""
    if isinstance(value, dict):
        kept = {name: without_empty(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each not in ({}, [], None)}
    return [without_empty(each) for each in value] if isinstance(value, list) else value


def as_client_says(event: RunEvent) -> Any:
    return without_empty(Serde.to_dict(event))


def place(table: Table) -> tuple[str, str]:
    naming = ABFSS("bookstore", "account", f"lake/{table.layer}/{table.name}")
    return naming.get_namespace(), naming.get_name()


def input_field(name: str) -> facets.column_lineage_dataset.InputField:
    return facets.column_lineage_dataset.InputField(*place(ORDERS), name)


def described(name: str, columns: list[tuple[str, str]]) -> dict[str, Any]:
    fields = [facets.schema_dataset.SchemaDatasetFacetFields(column, kind) for column, kind in columns]
    by_name = facets.symlinks_dataset.Identifier(LAKE.root, name, "TABLE")
    return {
        "schema": facets.schema_dataset.SchemaDatasetFacet(fields),
        "symlinks": facets.symlinks_dataset.SymlinksDatasetFacet([by_name]),
    }


def expected(kind: str, run_facets: dict[str, Any], inputs: list[Any], outputs: list[Any]) -> Any:
    job_type = facets.job_type_job.JobTypeJobFacet("BATCH", "SPARK", "JOB")
    return as_client_says(
        RunEvent(
            eventTime=NOW.isoformat(),
            eventType=EventType[kind],
            run=openlineage.Run(RUN.run_id, run_facets),
            job=openlineage.Job(RUN.namespace, RUN.job, {"jobType": job_type}),
            inputs=inputs,
            outputs=outputs,
        )
    )


def test_a_run_with_its_parent_its_tables_and_its_columns() -> None:
    run = TracedRun(
        RUN,
        TASK,
        DAG_RUN,
        inputs=[topic_dataset("kafka-1:9093,kafka-2:9093", "bookstore.orders")],
        outputs=[table_dataset(LAKE, BOOK_REVISIONS, LINEAGE)],
    )
    parent = facets.parent_run.ParentRunFacet(
        run=facets.parent_run.Run(TASK.run_id),
        job=facets.parent_run.Job(TASK.namespace, TASK.job),
        root=facets.parent_run.Root(
            run=facets.parent_run.RootRun(DAG_RUN.run_id),
            job=facets.parent_run.RootJob(DAG_RUN.namespace, DAG_RUN.job),
        ),
    )
    columns = facets.column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={
            "recorded_at": facets.column_lineage_dataset.Fields([input_field("ordered_at"), input_field("updated_at")])
        },
        dataset=[input_field("status")],
    )
    kafka = Kafka("kafka-1", "9093", "bookstore.orders")
    schema = [("book_id", "bigint"), ("since_ms", "bigint"), ("recorded_at", "timestamp")]
    revisions = described("main.ops.book_revisions", schema) | {"columnLineage": columns}
    assert without_empty(run.event("COMPLETE", NOW)) == expected(
        "COMPLETE",
        {"parent": parent},
        [openlineage.InputDataset(kafka.get_namespace(), kafka.get_name())],
        [openlineage.OutputDataset(*place(BOOK_REVISIONS), facets=revisions)],
    )


def test_a_run_that_nobody_started_from_airflow_has_no_parent() -> None:
    assert without_empty(TracedRun(RUN).event("START", NOW)) == expected("START", {}, [], [])


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MissingTableError("silver.orders is required"), "silver.orders is required"),
        (ValueError("a message may hold anything, a secret too"), "ValueError"),
    ],
)
def test_a_failure_gives_the_jobs_own_sentence_and_no_other(error: Exception, message: str) -> None:
    failed = facets.error_message_run.ErrorMessageRunFacet(message, "PYTHON")
    assert without_empty(TracedRun(RUN).event("FAIL", NOW, error)) == expected("FAIL", {"errorMessage": failed}, [], [])


def test_a_name_may_have_slashes_in_its_namespace() -> None:
    assert RunName.parse(f"a/b/refresh_silver.merge_orders/{TASK.run_id}") == RunName(
        "a/b", "refresh_silver.merge_orders", TASK.run_id
    )


@pytest.mark.parametrize("text", ["bookstore/merge_orders", f"//{RUN.run_id}", "bookstore/merge_orders/7"])
def test_another_form_of_a_name_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match=rf"must be namespace/job/UUID, found '{re.escape(text)}'"):
        RunName.parse(text)
