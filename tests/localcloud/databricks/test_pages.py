"""The pages: closed without the token, escaped, and without secrets."""

import httpx
import pytest
from databricks.sdk.service.jobs import ForEachTask, SubmitTask, Task
from playwright.sync_api import Browser

from tests.localcloud.databricks.server import KEY, Server, step


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


def test_a_clusters_page_is_the_first_one(light: Server) -> None:
    with httpx.Client(base_url=light.url, follow_redirects=True) as stranger:
        assert stranger.get("/compute/clusters/x").status_code == 401
    answer = log_in(light).get("/compute/clusters/x")
    assert (answer.status_code, answer.url.path) == (200, "/")


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
