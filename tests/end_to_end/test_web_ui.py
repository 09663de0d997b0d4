"""Airflow's web pages in a real browser."""

import datetime as dt

import httpx
import pytest
from playwright.sync_api import Browser, Page

from localcloud.airflow.client import ADMIN, AirflowClient, DagRun
from localcloud.waiting import wait_until
from tests.end_to_end.conftest import Chain

DAG = "segment_customers"
EXPORT = "export_audience"
TRAIN = "train_kmeans"
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


@pytest.mark.full
def test_a_failed_step_is_two_clicks_from_its_traceback_and_two_from_being_done_again(chain: Chain, page: Page) -> None:
    day = (chain.last_day - dt.timedelta(days=62)).isoformat()
    missing = f"MissingPartitionError: the partition {day} of gold.rfm is required and has no rows"
    with AirflowClient(chain.cloud.home) as airflow:
        airflow.unpause(EXPORT)
        run = airflow.trigger(EXPORT, conf={"campaign": "in-a-browser", "snapshot_date": day})
        wait_until(lambda: task_state(airflow, run) == "failed", "there is no such partition", RUN_LIMIT_SECONDS)
        log_in(page, chain, f"/dags/{EXPORT}")

        page.locator(f"[id='grid-{run.run_id}-{EXPORT}']").click()
        page.get_by_text("Traceback (most recent call last)").wait_for()
        page.get_by_text(missing).first.wait_for()
        with page.expect_popup() as opened:
            page.get_by_role("link", name="/runs/").first.click()
        of_run = opened.value
        enter_workspace(of_run, chain)
        of_run.get_by_text("Traceback (most recent call last)").first.wait_for()
        of_run.get_by_text(missing).first.wait_for()

        airflow.wait(airflow.trigger(DAG, partition_key=day), timeout=RUN_LIMIT_SECONDS, until="aggregate_rfm")
        page.get_by_role("button", name="clear").first.click()
        page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
        wait_until(lambda: task_state(airflow, run) == "success", "it is done again", RUN_LIMIT_SECONDS)
    assert chain.cloud.sql("SELECT DISTINCT snapshot_date FROM gold.audiences WHERE campaign = 'in-a-browser'") == [
        {"snapshot_date": day}
    ]


def task_state(airflow: AirflowClient, run: DagRun) -> str | None:
    return airflow.task_states(run)[EXPORT]


def enter_workspace(page: Page, chain: Chain) -> None:
    """Gives the token that the workspace's pages ask for once."""
    page.get_by_role("textbox").fill(chain.cloud.home.secret("databricks-token"))
    page.get_by_role("button", name="Log in").click()


@pytest.mark.full
def test_a_worse_model_waits_for_a_person_and_is_champion_once_approved(chain: Chain, page: Page) -> None:
    with AirflowClient(chain.cloud.home) as airflow:
        run = airflow.trigger(TRAIN, conf={"k": 2})
        wait_until(
            lambda: airflow.task_states(run)["approve_model"] == "awaiting_input",
            "two clusters should tell the customers apart worse than the champion's",
            RUN_LIMIT_SECONDS,
        )
        version = airflow.xcom(run, TRAIN)["model_version"]
        assert champion(chain)["model_version"] != version

        log_in(page, chain, "/required_actions")
        question = page.get_by_role("link", name=f"Shall model {version} become champion?")
        question.and_(page.locator(f"[href*='{run.run_id}']")).click()
        page.get_by_text("not champion: silhouette").wait_for()
        page.get_by_role("button", name="Approve").click()

        assert airflow.wait(run, timeout=RUN_LIMIT_SECONDS).state == "success"
    assert champion(chain) == {"model_version": version, "decided_by": ADMIN}


def champion(chain: Chain) -> dict[str, str]:
    (row,) = chain.cloud.sql("SELECT model_version, decided_by FROM gold.kmeans_models WHERE is_champion")
    return row


@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_airflow_refuses_foreign_hosts_and_origins(chain: Chain, header: dict[str, str]) -> None:
    url = f"http://127.0.0.1:{chain.cloud.home.port('airflow')}/api/v2/version"
    assert httpx.get(url).status_code == 200
    assert httpx.get(url, headers=header).status_code == 403
