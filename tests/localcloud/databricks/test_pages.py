"""The pages: closed without the token, escaped, and without secrets."""

import json
import re

import httpx
import pytest
from databricks.sdk.service.jobs import ForEachTask, Run, SubmitTask, Task, TaskDependency
from playwright.sync_api import Browser

from tests.localcloud.databricks.server import KEY, WHEEL, Server, step


def log_in(server: Server) -> httpx.Client:
    http = httpx.Client(base_url=server.url, follow_redirects=True)
    assert http.post("/login", data={"token": server.token, "target": "/"}).is_success
    return http


@pytest.fixture
def reader(workspace: Server) -> httpx.Client:
    """Someone who has logged in."""
    return log_in(workspace)


def test_pages_ask_for_the_token_and_lead_back(workspace: Server) -> None:
    with httpx.Client(base_url=workspace.url) as http:
        asked = http.get("/runs/1")
        assert asked.status_code == 401
        assert 'name="target" value="/runs/1"' in asked.text
        refused = http.post("/login", data={"token": "wrong", "target": "/runs/1"})
        assert refused.status_code == 401
        assert "set-cookie" not in refused.headers
        entered = http.post("/login", data={"token": workspace.token, "target": "/runs/1"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/runs/1")
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert workspace.token not in cookie


def test_a_browser_logs_in_and_is_where_it_wanted_to_be(light: Server, browser: Browser) -> None:
    """A browser says more than an HTTP client does: which page the form was on."""
    run = light.run(light.script("fails", "raise ValueError('of no use')"))
    page = browser.new_page()
    page.goto(str(run.run_page_url))
    page.get_by_role("textbox").fill(light.token)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("ValueError: of no use").first.wait_for()
    assert page.url == run.run_page_url


def test_logging_in_leads_to_no_other_site(workspace: Server) -> None:
    with httpx.Client(base_url=workspace.url) as http:
        entered = http.post("/login", data={"token": workspace.token, "target": "//evil.example/runs/1"})
    assert entered.headers["location"] == "/"


def test_the_cookie_opens_no_api(reader: httpx.Client) -> None:
    assert reader.get("/api/2.2/jobs/runs/list").status_code == 401


def test_run_page_shows_output_and_traceback_without_secrets(workspace: Server, reader: httpx.Client) -> None:
    run = workspace.run(step("print_secret"))
    assert run.run_page_url is not None
    page = reader.get(run.run_page_url)
    assert page.status_code == 200
    assert "the key is [REDACTED]" in page.text
    assert "ValueError: could not use [REDACTED]" in page.text
    assert KEY not in page.text
    assert f'href="/runs/{run.run_id}"' in reader.get("/").text


def cluster_of(run: Run) -> str:
    (task,) = run.tasks or []
    assert task.cluster_instance is not None
    return str(task.cluster_instance.cluster_id)


def test_a_cluster_that_is_gone_leads_to_the_first_page(light: Server) -> None:
    with httpx.Client(base_url=light.url, follow_redirects=True) as stranger:
        assert stranger.get("/compute/clusters/x").status_code == 401
    answer = log_in(light).get("/compute/clusters/x")
    assert (answer.status_code, answer.url.path) == (200, "/")


def test_a_clusters_page_has_its_settings_its_runs_and_its_log(workspace: Server, reader: httpx.Client) -> None:
    run = workspace.run(step("first_line"))
    (task,) = run.tasks or []
    page = reader.get(f"/compute/clusters/{cluster_of(run)}").text
    for shown in ("RUNNING", "{{secrets/bookstore/adls-account-key}}", f'href="/runs/{task.run_id}"', WHEEL, "<h2>Log"):
        assert shown in page
    assert KEY not in page


def test_sparks_own_pages_open_to_who_has_logged_in_and_to_nobody_else(workspace: Server, reader: httpx.Client) -> None:
    cluster = cluster_of(workspace.run(step("first_line")))
    spark = f"/compute/clusters/{cluster}/spark"

    environment = reader.get(f"{spark}/environment/").text
    assert f'href="{spark}/SQL/"' in environment
    assert KEY not in environment
    assert workspace.home.secret("spark-ui-key") not in environment
    assert reader.get(f"{spark}/").url.path == f"{spark}/"
    assert httpx.get(f"{workspace.url}{spark}/jobs/").status_code == 401
    server = json.loads((workspace.home.workspace / "clusters" / cluster / "server.json").read_text())
    assert httpx.get(f"http://127.0.0.1:{server['ui_port']}/jobs/").status_code == 403


def test_a_page_of_spark_that_gives_no_answer_says_where_to_look(light: Server) -> None:
    cluster = cluster_of(light.run(light.script("only", "print(1)")))
    answer = log_in(light).get(f"/compute/clusters/{cluster}/spark/jobs/")
    assert (answer.status_code, answer.json()["detail"]) == (
        502,
        f"Spark's page of {cluster} gave no answer (ConnectError): see the cluster's state and log",
    )


def test_a_runs_graph_says_who_waits_for_whom(light: Server) -> None:
    first, second = light.script("first", "print(1)"), light.script("second", "print(2)")
    second.depends_on = [TaskDependency("first")]
    run = light.run(first, second, light.script("third", "print(3)"))
    page = log_in(light).get(f"/runs/{run.run_id}").text
    assert page.count("<rect") == 3
    assert re.findall(r'<path d="(.*?)"', page) == ["M170 17C195 17 195 17 220 17"]


def test_a_loop_leads_to_what_each_of_its_iterations_wrote(light: Server) -> None:
    nested = Task.from_dict(light.script("one", "import sys; print('city', sys.argv[1])", "{{input}}").as_dict())
    run = light.run(SubmitTask("each", for_each_task=ForEachTask(inputs='["Oslo", "Bonn"]', task=nested)))
    (loop,) = run.tasks or []
    http = log_in(light)
    assert f'href="/runs/{loop.run_id}"' in http.get(f"/runs/{run.run_id}").text
    page = http.get(f"/runs/{loop.run_id}").text
    assert [city in page for city in ("city Oslo", "city Bonn", "city Rome")] == [True, True, False]


def test_what_users_name_is_escaped(workspace: Server, reader: httpx.Client) -> None:
    name = "<script>alert(1)</script>"
    run_id = workspace.client.jobs.submit(run_name=name, tasks=[step("first_line")]).bind()["run_id"]
    workspace.ended(run_id)
    for page in (reader.get("/"), reader.get(f"/runs/{run_id}")):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        assert "<script>" not in page.text
