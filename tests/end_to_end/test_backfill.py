"""Sixty partitions, four at a time, while the Spark server that they run on is killed twice."""

import datetime as dt
from collections import Counter
from typing import Any

import psutil
import pytest

from localcloud.airflow.client import AirflowClient, DagRun
from localcloud.databricks.engine.processes import leftovers
from localcloud.waiting import wait_until
from tests.end_to_end import reference
from tests.end_to_end.clusters import clusters_left
from tests.end_to_end.conftest import Chain

DAG = "segment_customers"
PARTITIONS = 60
AT_ONCE = 4
KILLS = (0.2, 0.6)
LIMIT_SECONDS = 3 * 3600.0


def backfilled(airflow: AirflowClient, days: list[str]) -> list[DagRun]:
    """The backfill's runs, of which the client knows the newest fifty at a time."""
    path = f"/api/v2/dags/{DAG}/dagRuns"
    found = [
        DagRun.from_json(run)
        for offset in (0, 50, 100)
        for run in airflow.ask("GET", path, params={"limit": 50, "offset": offset, "order_by": "-run_after"})[
            "dag_runs"
        ]
    ]
    return [run for run in found if run.partition_key in days and run.run_id.startswith("backfill")]


def kill_spark(chain: Chain) -> None:
    """As the out-of-memory killer does it, to every server that runs."""
    for process in leftovers(chain.cloud.home):
        if process.name() == "java":
            process.kill()
            psutil.wait_procs([process], timeout=30)


@pytest.mark.full
@pytest.mark.timeout(LIMIT_SECONDS)
def test_sixty_partitions_are_right_though_spark_is_killed_twice(chain: Chain) -> None:
    days = [(chain.last_day - dt.timedelta(days=back)).isoformat() for back in range(99 + PARTITIONS, 99, -1)]
    span = ("--from-date", days[0], "--to-date", days[-1])
    with AirflowClient(chain.cloud.home) as airflow:
        chain.cloud.airflow("backfill", "create", "--dag-id", DAG, *span, "--max-active-runs", str(AT_ONCE))
        for share in (*KILLS, 1.0):
            wait_until(
                lambda share=share: sum(run.is_finished for run in backfilled(airflow, days)) >= share * PARTITIONS,  # type: ignore[misc]
                f"{share:.0%} of the partitions should be done",
                LIMIT_SECONDS,
            )
            if share in KILLS:
                kill_spark(chain)
        runs = backfilled(airflow, days)

    assert Counter(run.state for run in runs) == {"success": PARTITIONS}
    expected = expected_rfm(chain, days)
    assert [{name: row[name] for name in expected[0]} for row in rfm(chain, days)] == expected
    assert clusters_left(chain) == []
    assert done_twice(chain, days) == {}


def rfm(chain: Chain, days: list[str]) -> list[dict[str, Any]]:
    between = f"snapshot_date BETWEEN '{days[0]}' AND '{days[-1]}'"
    return chain.cloud.sql(f"SELECT * FROM gold.rfm WHERE {between} ORDER BY snapshot_date, customer_id")


def expected_rfm(chain: Chain, days: list[str]) -> list[dict[str, Any]]:
    customers = reference.customers(reference.read_events(chain.truth / "customers.jsonl"))
    orders = reference.orders(reference.read_events(chain.truth / "orders.jsonl"))
    return [row for day in days for row in reference.rfm(customers, orders, dt.date.fromisoformat(day))]


def done_twice(chain: Chain, days: list[str]) -> dict[str, int]:
    """Runs of one step for one day that succeeded more than once, and runs that are left."""
    runs = [run for run in chain.cloud.databricks().jobs.list_runs() if (run.run_name or "").rpartition(" ")[2] in days]
    states = [
        (run.run_name or "", run.state.result_state.value if run.state and run.state.result_state else None)
        for run in runs
    ]
    succeeded = Counter(name for name, state in states if state == "SUCCESS")
    left = Counter(name for name, state in states if state is None)
    return dict(succeeded - Counter(set(succeeded)) + left)
