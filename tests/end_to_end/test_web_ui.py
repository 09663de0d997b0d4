"""Airflow's web pages in a real browser."""

import datetime as dt

import httpx
import pytest
from playwright.sync_api import Browser, Page

from localcloud.airflow.client import ADMIN, AirflowClient, DagRun
from localcloud.waiting import wait_until
from tests.end_to_end.conftest import Chain

DAG = "segment_customers"
RUN_LIMIT_SECONDS = 300.0
PAGE_LIMIT_SECONDS = 60


@pytest.fixture
def page(browser: Browser) -> Page:
    page = browser.new_page()
    page.set_default_timeout(PAGE_LIMIT_SECONDS * 1000)
    return page


def log_in(page: Page, chain: Chain, path: str) -> None:
    """Opens a page of Airflow as its admin."""
    url = f"http://127.0.0.1:{chain.cloud.home.port('airflow')}{path}"
    page.goto(url)
    page.get_by_role("textbox").first.fill(ADMIN)
    page.locator("input[type=password]").fill(chain.cloud.home.secret("airflow-admin-password"))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}**")


def trigger(page: Page, partition_key: str) -> None:
    """Fills in the trigger form as a person does."""
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog").filter(has_text="Trigger Dag")
    form.get_by_text("Advanced Options").click()
    form.locator("input[name=partitionKey]").fill(partition_key)
    form.get_by_role("button", name="Trigger").click()
    form.wait_for(state="hidden")


@pytest.mark.parametrize(
    ("until", "back"),
    [("aggregate_rfm", 60), pytest.param(None, 61, marks=pytest.mark.full)],
    ids=["first step", "all steps"],
)
def test_the_trigger_button_runs_the_partition_that_was_typed(
    chain: Chain, page: Page, until: str | None, back: int
) -> None:
    """Every run waits for the first step's partition alone: the other steps are the chain's, and take minutes."""
    day = (chain.last_day - dt.timedelta(days=back)).isoformat()
    log_in(page, chain, f"/dags/{DAG}")
    trigger(page, day)
    with AirflowClient(chain.cloud.home) as airflow:

        def found() -> list[DagRun]:
            return [run for run in airflow.runs(DAG) if run.partition_key == day]

        wait_until(lambda: bool(found()), "the web page should have made a run", PAGE_LIMIT_SECONDS)
        (run,) = found()
        run = airflow.wait(run, timeout=RUN_LIMIT_SECONDS, until=until)
        assert airflow.task_states(run)["aggregate_rfm"] == "success"
    rows = chain.cloud.sql(f"SELECT DISTINCT lookback_days FROM gold.rfm WHERE snapshot_date = '{day}'")
    assert rows == [{"lookback_days": 365}]


def test_the_trigger_form_explains_its_parameters(chain: Chain, page: Page) -> None:
    log_in(page, chain, f"/dags/{DAG}")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog").filter(has_text="Trigger Dag")
    form.get_by_text("Days to look back").wait_for()
    assert form.locator("input[name=element_snapshot_date]").get_attribute("type") == "date"
    assert "Empty: the partition key, else yesterday (UTC)." in form.inner_text()


@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_airflow_refuses_foreign_hosts_and_origins(chain: Chain, header: dict[str, str]) -> None:
    url = f"http://127.0.0.1:{chain.cloud.home.port('airflow')}/api/v2/version"
    assert httpx.get(url).status_code == 200
    assert httpx.get(url, headers=header).status_code == 403
