"""A whole cloud that reports to a catalogue: Airflow by its provider, each step from the wheel."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.airflow.client import AirflowClient
from localcloud.bookstore.production import produce_bookstore
from localcloud.home import Home
from localcloud.services.kafka import bootstrap_servers
from localcloud.waiting import wait_until
from tests.cloud import Cloud
from tests.end_to_end.conftest import DISORDER, PLAN
from tests.end_to_end.leaks import forms, in_files
from tests.spark_jobs.lineage.catalogue import FakeCatalogue, running_catalogue

pytestmark = pytest.mark.full

KEY = "a-catalogues-key-that-is-nowhere-else"
SECRET = "openlineage-api-key"
DAG_RUN_SECONDS = 900
SILVER = ("merge_customers", "upsert_books", "merge_orders", "merge_customer_orders")
STORE = f"""
import os
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
SecretClient(os.environ["AZURE_KEY_VAULT_URL"], DefaultAzureCredential()).set_secret("{SECRET}", "{KEY}")
"""


@pytest.fixture(scope="module")
def catalogue() -> Iterator[FakeCatalogue]:
    with running_catalogue() as catalogue:
        yield catalogue


@pytest.fixture(scope="module")
def reporting(catalogue: FakeCatalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud whose Airflow was started with a catalogue, after ingest and the refresh of silver."""
    cloud = Cloud(Home(tmp_path_factory.mktemp("lineage") / "home"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENLINEAGE_URL", catalogue.address)
        patch.setenv("OPENLINEAGE_NAMESPACE", "bookstore")
        patch.setenv("OPENLINEAGE_API_KEY", KEY)
        patch.setenv("OPENLINEAGE_API_KEY_SECRET", SECRET)
        cloud.localcloud("up")
    try:
        subprocess.run([sys.executable, "-c", STORE], env=cloud.environment(), check=True)
        produce_bookstore(bootstrap_servers(cloud.home), PLAN, DISORDER, lambda *_: None)
        refresh(cloud)
        yield cloud
    finally:
        cloud.localcloud("down")


def refresh(cloud: Cloud) -> None:
    with AirflowClient(cloud.home) as airflow:
        airflow.unpause("refresh_silver")
        airflow.unpause("ingest_events")
        ingested = airflow.wait(airflow.trigger("ingest_events"), timeout=DAG_RUN_SECONDS)
        assert ingested.state == "success"
        wait_until(lambda: bool(airflow.runs("refresh_silver")), "new rows should start refresh_silver", 120)
        refreshed = airflow.wait(airflow.runs("refresh_silver")[0], timeout=DAG_RUN_SECONDS)
        assert refreshed.state == "success"


def ended(catalogue: FakeCatalogue, job: str) -> list[dict[str, Any]]:
    return [event for event in catalogue.told if event["eventType"] == "COMPLETE" and event["job"]["name"] == job]


def runs(events: list[dict[str, Any]]) -> set[str]:
    return {event["run"]["runId"] for event in events}


@pytest.mark.parametrize("step", SILVER)
def test_the_run_of_a_step_is_the_child_of_the_task_and_of_the_dag_run(
    reporting: Cloud, catalogue: FakeCatalogue, step: str
) -> None:
    del reporting
    (event,) = ended(catalogue, step)
    parent = event["run"]["facets"]["parent"]
    assert parent["job"] == {"namespace": "bookstore", "name": f"refresh_silver.{step}"}
    assert {parent["run"]["runId"]} == runs(ended(catalogue, f"refresh_silver.{step}"))
    assert parent["root"]["job"] == {"namespace": "bookstore", "name": "refresh_silver"}
    assert {parent["root"]["run"]["runId"]} == runs(ended(catalogue, "refresh_silver"))


def test_gold_comes_with_its_columns(reporting: Cloud, catalogue: FakeCatalogue) -> None:
    del reporting
    (event,) = ended(catalogue, "merge_customer_orders")
    (output,) = event["outputs"]
    assert output["name"] == "lake/gold/customer_orders"
    fields = output["facets"]["columnLineage"]["fields"]["email"]["inputFields"]
    assert [(field["name"], field["field"]) for field in fields] == [("lake/silver/customers", "email")]


def test_everybody_gives_the_key_and_nobody_writes_it_down(reporting: Cloud, catalogue: FakeCatalogue) -> None:
    home = reporting.home
    assert set(catalogue.keys) == {f"Bearer {KEY}"}
    assert all(KEY not in event for event in catalogue.events)
    kept = [home.data("key-vault")]
    holding = {path.name for path in in_files(home.root, forms(KEY), kept)}
    assert holding == {SECRET}
