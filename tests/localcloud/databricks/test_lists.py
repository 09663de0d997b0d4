"""Lists of runs: what is in them, and in which pieces they come."""

import pytest
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.jobs import RunType

from tests.localcloud.databricks.server import Server


@pytest.fixture(scope="module")
def ended(light: Server) -> list[int]:
    """Three runs that have ended, the newest first."""
    return [light.run(light.script("listed", "pass")).run_id or 0 for _ in range(3)][::-1]


def test_a_list_comes_in_pages(light: Server, ended: list[int]) -> None:
    found = [run.run_id for run in light.client.jobs.list_runs(limit=2)]
    assert found[:3] == ended
    with light.http() as http:
        page = http.get("/api/2.2/jobs/runs/list", params={"limit": 2}).json()
    assert ([run["run_id"] for run in page["runs"]], page["has_more"]) == (ended[:2], True)


def test_a_list_is_of_a_span_of_time(light: Server, ended: list[int]) -> None:
    jobs = light.client.jobs
    begin = [jobs.get_run(run_id).start_time or 0 for run_id in ended]
    assert [run.run_id for run in jobs.list_runs(start_time_from=begin[1])] == ended[:2]
    middle = jobs.list_runs(start_time_from=begin[1], start_time_to=begin[1], run_type=RunType.SUBMIT_RUN)
    assert [run.run_id for run in middle] == ended[1:2]
    assert list(jobs.list_runs(start_time_from=begin[0] + 1)) == []


def test_a_list_is_of_active_runs_or_of_ended_ones(light: Server, ended: list[int]) -> None:
    run_id = light.submit(light.script("active", "import time; time.sleep(600)"))
    assert [run.run_id for run in light.client.jobs.list_runs(active_only=True)] == [run_id]
    assert [run.run_id for run in light.client.jobs.list_runs(completed_only=True)][:3] == ended
    with pytest.raises(InvalidParameterValue, match="active_only and completed_only can't both be true"):
        list(light.client.jobs.list_runs(active_only=True, completed_only=True))
    light.client.jobs.cancel_run(run_id)
    light.ended(run_id)


@pytest.mark.parametrize("limit", [26, -1])
def test_a_page_has_at_most_25_runs(light: Server, limit: int) -> None:
    with pytest.raises(InvalidParameterValue, match="limit: Input should be"):
        list(light.client.jobs.list_runs(limit=limit))
