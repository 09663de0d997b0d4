"""The DAGs that people trigger now and then, on the whole cloud: campaigns, maintenance, replay and erasure."""

from typing import Any

import pytest

from localcloud.airflow.client import AirflowClient
from tests.end_to_end.conftest import Chain

pytestmark = pytest.mark.full
LIMIT_SECONDS = 600.0
CAMPAIGN = "of-upkeep"


def result(airflow: AirflowClient, dag_id: str, **conf: Any) -> dict[str, Any]:
    """Triggers a DAG and returns what its job printed as its result."""
    airflow.unpause(dag_id)
    run = airflow.wait(airflow.trigger(dag_id, conf=conf), timeout=LIMIT_SECONDS)
    assert run.state == "success"
    found: dict[str, Any] = airflow.xcom(run, dag_id)
    return found


def counts(chain: Chain) -> list[dict[str, Any]]:
    tables = ("silver.customers", "silver.books", "silver.orders", "gold.rfm", "bronze.order_events")
    each = [f"SELECT '{table}' AS name, count(*) AS rows FROM {table}" for table in tables]
    return chain.cloud.sql(" UNION ALL ".join(each) + " ORDER BY name")


def test_a_campaign_is_exported_and_measured(chain: Chain, quiet_airflow: AirflowClient) -> None:
    exported = result(quiet_airflow, "export_audience", campaign=CAMPAIGN, held_out_share=0.5)
    measured = result(quiet_airflow, "measure_campaign", campaign=CAMPAIGN, response_days=1)

    assert exported["snapshot_date"] == chain.last_day.isoformat()
    groups = (exported["rows"], exported["held_out"])
    assert (measured["written_to"], measured["held_out"]) == groups
    assert measured["is_over"] is False
    (row,) = chain.cloud.sql(f"SELECT count(*) AS customers FROM gold.audiences WHERE campaign = '{CAMPAIGN}'")
    assert row["customers"] == sum(groups) > 0


def test_maintenance_and_replay_change_nothing_that_a_reader_sees(chain: Chain, quiet_airflow: AirflowClient) -> None:
    before = counts(chain)
    result(quiet_airflow, "maintain_tables")
    replayed = result(quiet_airflow, "replay_quarantine")
    assert counts(chain) == before
    assert replayed["rows"] == 0


def test_a_customer_is_erased_everywhere(chain: Chain, quiet_airflow: AirflowClient) -> None:
    (customer,) = chain.cloud.sql("SELECT customer_id FROM gold.rfm ORDER BY monetary DESC LIMIT 1")
    tables = ("silver.customers", "silver.orders", "gold.rfm", "gold.customer_segments", "gold.audiences")
    one = customer["customer_id"]

    result(quiet_airflow, "forget_customer", customer_id=one, confirm=one, alone=True)

    for table in tables:
        assert chain.cloud.sql(f"SELECT 1 FROM {table} WHERE customer_id = {one}") == []
    assert chain.cloud.localcloud("audit").returncode == 0
