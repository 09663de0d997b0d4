"""The ways in which people start `segment_customers`: the command line, the schedule, a backfill."""

import datetime as dt
import json

import pytest

from localcloud.airflow.client import AirflowClient, DagRun
from localcloud.waiting import wait_until
from tests.end_to_end.clusters import clusters_of
from tests.end_to_end.conftest import Chain

DAG = "segment_customers"
RUN_LIMIT_SECONDS = 600.0


def partitions(chain: Chain) -> dict[str, int]:
    rows = chain.cloud.sql("SELECT snapshot_date, count(*) AS customers FROM gold.rfm GROUP BY 1")
    return {row["snapshot_date"]: row["customers"] for row in rows}


def finished_runs(chain: Chain, known: set[str]) -> list[DagRun]:
    """Waits for the runs that came since, and returns them."""
    with AirflowClient(chain.cloud.home) as airflow:
        return [airflow.wait(run, timeout=RUN_LIMIT_SECONDS) for run in airflow.runs(DAG) if run.run_id not in known]


@pytest.fixture
def known(chain: Chain) -> set[str]:
    with AirflowClient(chain.cloud.home) as airflow:
        return {run.run_id for run in airflow.runs(DAG)}


@pytest.mark.full
def test_a_trigger_from_the_command_line_takes_its_date_from_conf(chain: Chain, known: set[str]) -> None:
    day = (chain.last_day - dt.timedelta(days=40)).isoformat()

    chain.cloud.airflow("dags", "trigger", DAG, "--conf", json.dumps({"snapshot_date": day, "lookback_days": 30}))

    assert [run.state for run in finished_runs(chain, known)] == ["success"]
    rows = chain.cloud.sql(f"SELECT DISTINCT lookback_days FROM gold.rfm WHERE snapshot_date = '{day}'")
    assert rows == [{"lookback_days": 30}]


@pytest.mark.full
def test_a_backfill_makes_each_partition_and_touches_no_other(chain: Chain, known: set[str]) -> None:
    before = partitions(chain)
    days = [(chain.last_day - dt.timedelta(days=back)).isoformat() for back in (92, 91, 90)]

    chain.cloud.airflow("backfill", "create", "--dag-id", DAG, "--from-date", days[0], "--to-date", days[-1])

    with AirflowClient(chain.cloud.home) as airflow:
        wait_until(
            lambda: {run.partition_key for run in airflow.runs(DAG)} >= set(days), "three runs should be made", 60
        )
    runs = finished_runs(chain, known)
    assert sorted((str(run.partition_key), run.state) for run in runs) == [(day, "success") for day in days]
    used = [clusters_of(chain, day) for day in days]
    assert [len(clusters) for clusters in used] == [1, 1, 1]
    assert len(set.union(*used)) == len(days)
    after = partitions(chain)
    assert set(after) == {*before, *days}
    assert {day: after[day] for day in before} == before


def test_the_schedule_runs_ingest_by_itself(chain: Chain) -> None:
    """Every ten minutes; by now that has most often happened."""

    def scheduled() -> list[DagRun]:
        return [run for run in airflow.runs("ingest_events") if run.run_id.startswith("scheduled__")]

    with AirflowClient(chain.cloud.home) as airflow:
        wait_until(lambda: bool(scheduled()), "the schedule should have started ingest_events", 660)
        assert airflow.wait(scheduled()[0], timeout=RUN_LIMIT_SECONDS).state == "success"
