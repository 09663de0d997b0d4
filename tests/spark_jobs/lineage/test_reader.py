"""The events of all steps as a catalogue reads them."""

import datetime as dt
import json
from typing import Any

import pytest
from pyspark.sql import SparkSession

from spark_jobs.errors import MissingTableError
from spark_jobs.lineage.reporting import LineageConfig, traced_run
from spark_jobs.lineage.steps import STEPS
from tests.spark_jobs.lineage.reader import Graph, Reader
from tests.spark_jobs.lineage.runs import DAG_RUN, LAKE_ROOT, TASK, Settings

NOW = dt.datetime(2026, 1, 31, 10, 15, tzinfo=dt.UTC)
NAMESPACE = "abfss://bookstore@account.dfs.core.windows.net"


@pytest.fixture(scope="module")
def reader(compiling: SparkSession) -> Reader:
    return Reader(compiling)


@pytest.fixture(scope="module")
def events(reader: Reader) -> dict[str, Any]:
    """What each step tells at its end, having been text."""
    lineage = LineageConfig("http://catalogue", TASK, DAG_RUN)
    runs = {step: traced_run(step, Settings(), lineage) for step in STEPS}
    return {step: reader.read(json.dumps(run.event("COMPLETE", NOW))) for step, run in runs.items()}


def names(datasets: Any) -> list[str]:
    return [dataset.getName() for dataset in datasets]


def test_a_run_is_the_child_of_its_task_and_of_the_dag_run(events: dict[str, Any]) -> None:
    parent = events["merge_customer_orders"].getRun().getFacets().getParent()
    root = parent.getRoot()
    each = [(one.getJob().getNamespace(), one.getJob().getName(), one.getRun().getRunId()) for one in (parent, root)]
    assert ["/".join([namespace, name, run_id.toString()]) for namespace, name, run_id in each] == [TASK, DAG_RUN]


def test_the_steps_hang_together_from_kafka_to_the_report(events: dict[str, Any]) -> None:
    """What one step writes, another reads under the same name."""
    written = {name for event in events.values() for name in names(event.getOutputs())}
    read = {name for event in events.values() for name in names(event.getInputs())}
    entered = {"lake/bronze/repairs", "lake/ops/forgotten_customers"}
    assert read - written == {"bookstore.customers", "bookstore.books", "bookstore.orders"} | entered
    assert "lake/gold/reports" in written


def test_a_table_is_where_openlineages_own_integrations_see_it(events: dict[str, Any], reader: Reader) -> None:
    (output,) = events["merge_customer_orders"].getOutputs()
    assert (output.getNamespace(), output.getName()) == (NAMESPACE, "lake/gold/customer_orders")
    assert reader.place(f"{LAKE_ROOT}/gold/customer_orders") == (NAMESPACE, "lake/gold/customer_orders")
    (symlink,) = output.getFacets().getSymlinks().getIdentifiers()
    assert (symlink.getNamespace(), symlink.getName(), symlink.getType()) == (
        LAKE_ROOT,
        "gold.customer_orders",
        "TABLE",
    )
    fields = output.getFacets().getSchema().getFields()
    assert [(field.getName(), field.getType()) for field in fields][:2] == [
        ("customer_id", "bigint"),
        ("email", "string"),
    ]


def test_a_column_is_followed_from_gold_back_to_what_arrived(events: dict[str, Any]) -> None:
    graph = Graph(list(events.values()))
    assert graph.origins("lake/gold/customer_orders", "net_amount") == {
        ("lake/bronze/order_events", "lines"),
        ("lake/bronze/order_events", "status"),
    }
    assert graph.origins("lake/gold/customer_orders", "email") == {("lake/bronze/customers_changes", "email")}
    assert graph.origins("lake/gold/customer_orders", "favourite_genre") == {
        ("lake/bronze/books_changes", "genre"),
        ("lake/bronze/order_events", "lines"),
    }


def test_what_decides_about_rows_belongs_to_the_table(events: dict[str, Any]) -> None:
    (output,) = events["export_audience"].getOutputs()
    deciding = {(field.getName(), field.getField()) for field in output.getFacets().getColumnLineage().getDataset()}
    assert deciding == {
        ("lake/silver/customers", "customer_id"),
        ("lake/silver/customers", "marketing_consent"),
        ("lake/gold/rfm", "customer_id"),
        ("lake/gold/rfm", "rfm_segment"),
        ("lake/gold/rfm", "snapshot_date"),
    }


def test_a_failure_is_read_as_one(reader: Reader) -> None:
    run = traced_run("merge_orders", Settings(), LineageConfig("http://catalogue"))
    event = reader.read(json.dumps(run.event("FAIL", NOW, MissingTableError("bronze.order_events is required"))))
    assert event.getEventType().toString() == "FAIL"
    assert event.getRun().getFacets().getErrorMessage().getMessage() == "bronze.order_events is required"
