"""What a hostile or broken client may send: never a 5xx, never a way out of the home, never a file's content."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from localcloud.databricks.routes import clusters, dbfs, jobs, libraries, runs, secrets, statements, workspace_files
from tests.localcloud.databricks.server import Server

GROUPS = (clusters, dbfs, jobs, libraries, runs, secrets, statements, workspace_files)
NOT_IMPLEMENTED = 501

OUTSIDE = (
    "/../secrets/databricks-token",
    "/../../secrets/databricks-token",
    "/Shared/../../../secrets/databricks-token",
    "/Workspace/../../secrets/databricks-token",
    "/Volumes/../../secrets/databricks-token",
    "//../../secrets/databricks-token",
    "/./../../secrets/databricks-token",
    "/link/secrets/databricks-token",
    "..",
    "",
    "relative",
    "C:\\secrets",
    "/\0",
    "/" + "x" * 5000,
    "/" + "x/" * 2000,
    "dbfs:/../../secrets/databricks-token",
    "dbfs:/Volumes/../../secrets/databricks-token",
    "file:///etc/passwd",
    "/\ud800",
)


@pytest.fixture
def link(light: Server) -> Iterator[None]:
    """A link out of each tree, as a task might leave one in a volume."""
    links = [light.home.workspace / "files" / tree / "link" for tree in ("Workspace", "Volumes", "dbfs")]
    for each in links:
        each.parent.mkdir(parents=True, exist_ok=True)
        each.symlink_to(light.home.root)
    yield
    for each in links:
        each.unlink()


def is_fine(answer: httpx.Response) -> bool:
    return answer.status_code < 500 or answer.status_code == NOT_IMPLEMENTED


def outside(home: Path) -> dict[Path, bytes]:
    """Every file that no file route may touch."""
    kept = [home / "secrets", home / "tls", home / "workspace" / "secret-scopes"]
    return {path: path.read_bytes() for folder in kept for path in sorted(folder.rglob("*")) if path.is_file()}


def calls(path: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every way of naming a path to a file route."""
    for route in ("workspace/get-status", "workspace/export", "workspace/list", "dbfs/get-status", "dbfs/list"):
        yield "GET", f"/api/2.0/{route}", {"params": {"path": path}}
    yield "GET", "/api/2.0/dbfs/read", {"params": {"path": path}}
    for route in ("workspace/mkdirs", "workspace/delete", "dbfs/mkdirs", "dbfs/delete", "dbfs/create", "dbfs/put"):
        yield "POST", f"/api/2.0/{route}", {"json": {"path": path, "recursive": True, "overwrite": True}}
    yield "POST", "/api/2.0/workspace/import", {"json": {"path": path, "content": "eA==", "overwrite": True}}
    yield "POST", "/api/2.0/workspace/import", {"json": {"path": path, "content": "eA==", "format": "AUTO"}}
    yield "POST", "/api/2.0/dbfs/move", {"json": {"source_path": path, "destination_path": "/stolen"}}
    yield "POST", "/api/2.0/dbfs/move", {"json": {"source_path": "/", "destination_path": path}}


def send(http: httpx.Client, method: str, url: str, content: dict[str, Any]) -> httpx.Response:
    """As httpx would, but with text that can't be encoded sent as JSON can carry it."""
    if "params" in content:
        content = {"headers": {"content-type": "application/json"}, "content": json.dumps(content["params"])}
    elif "json" in content:
        content = {"headers": {"content-type": "application/json"}, "content": json.dumps(content["json"])}
    return http.request(method, url, **content)


@pytest.mark.usefixtures("link")
@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_the_files(light: Server, path: str) -> None:
    before = outside(light.home.root)
    with light.http() as http:
        for method, url, content in calls(path):
            answer = send(http, method, url, content)
            assert is_fine(answer), (method, url, answer.text)
            assert light.token not in answer.text
    assert outside(light.home.root) == before


@pytest.mark.usefixtures("link")
@pytest.mark.parametrize(
    "path",
    [
        "/Volumes/%2e%2e/%2e%2e/secrets/databricks-token",
        "/Volumes/..%2f..%2f..%2fsecrets/databricks-token",
        "/Volumes/link/secrets/databricks-token",
        "/Volumes/%00",
        "/Volumes/" + "x" * 300,
        "//Volumes/a",
        "/etc/passwd",
    ],
)
@pytest.mark.parametrize("kind", ["files", "directories"])
def test_no_volume_leads_out_of_the_files(light: Server, kind: str, path: str) -> None:
    before = outside(light.home.root)
    with light.http() as http:
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            answer = http.request(method, f"/api/2.0/fs/{kind}{path}")
            assert is_fine(answer), (method, answer.text)
            assert light.token not in answer.text
    assert outside(light.home.root) == before


def body_fields() -> list[tuple[str, str, str]]:
    """Method, path and field of everything that a route takes in its body."""
    found = []
    for group in GROUPS:
        for route in group.router.routes:
            if isinstance(route, APIRoute) and (body := route.body_field) is not None:
                model = body.field_info.annotation
                assert isinstance(model, type)
                assert issubclass(model, BaseModel)
                (method,) = route.methods
                found += [(method, route.path, name) for name in (*model.model_fields, "unknown")]
    return found


WRONG: tuple[Any, ...] = (
    None, "", "x", -1, 0, 2**63, 2**200, 1.5, True, [], [[]], [None], {}, {"a": {}}, [{"a": None}], "\0", "\ud800",
)  # fmt: skip


def test_a_field_of_the_wrong_type_is_refused_and_nothing_breaks(light: Server) -> None:
    with light.http() as http:
        for method, path, name in body_fields():
            for value in WRONG:
                url = path.replace("{version}", "2.2").replace("{warehouse_id}", "w").replace("{statement_id}", "s")
                answer = send(http, method, url, {"json": {name: value}})
                assert is_fine(answer), (method, url, name, value, answer.text)


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', "7", "[" * 10_000])
def test_a_body_that_is_no_object_is_refused(light: Server, body: str) -> None:
    with light.http() as http:
        for method, path, _ in body_fields():
            url = path.replace("{version}", "2.2")
            answer = http.request(method, url, content=body, headers={"content-type": "application/json"})
            assert is_fine(answer), (method, url, answer.text)
            assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("body", ['{"run_id": 1e999}', '{"name": NaN}', '{"name": "\\ud800"}', b'{"name": "\xff"}'])
def test_json_that_could_not_be_given_out_again_is_not_taken_in(light: Server, body: str | bytes) -> None:
    with light.http() as http:
        answer = http.post("/api/2.2/jobs/create", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "MALFORMED_REQUEST")


def queries() -> list[tuple[str, str]]:
    return [
        (route.path.replace("{version}", "2.2"), parameter.alias)
        for group in GROUPS
        for route in group.router.routes
        if isinstance(route, APIRoute) and "GET" in route.methods
        for parameter in get_flat_params(route.dependant)
        if f"{{{parameter.alias}}}" not in route.path
    ]


def test_a_parameter_of_the_wrong_type_is_refused_and_nothing_breaks(light: Server) -> None:
    wrong = ("", "x", "-1", "9" * 40, "1.5", "null", "%00", "\0", "ü" * 100, "[]")
    with light.http() as http:
        for path, name in queries():
            for value in wrong:
                others = {other: "1" for place, other in queries() if place == path and other != name}
                answer = http.get(path, params={**others, name: value})
                assert is_fine(answer), (path, name, value, answer.text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TASK_FIELDS = st.sampled_from(
    ["task_key", "depends_on", "run_if", "new_cluster", "python_wheel_task", "spark_python_task", "notebook_task",
     "condition_task", "for_each_task", "run_job_task", "libraries", "timeout_seconds", "max_retries", "job_clusters",
     "parameters", "tasks", "run_name", "idempotency_token", "existing_cluster_id", "queue", "schedule"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(run=st.dictionaries(TASK_FIELDS, JSON, max_size=4), task=st.dictionaries(TASK_FIELDS, JSON, max_size=5))
def test_no_run_or_job_of_any_shape_breaks_the_server(light: Server, run: dict[str, Any], task: dict[str, Any]) -> None:
    with light.http() as http:
        for path in ("/api/2.2/jobs/runs/submit", "/api/2.2/jobs/create"):
            for body in (run, {**run, "tasks": [task]}):
                answer = send(http, "POST", path, {"json": body})
                assert is_fine(answer), (path, body, answer.text)


def test_blocks_and_reads_have_the_sizes_of_databricks(light: Server) -> None:
    with light.http() as http:
        handle = http.post("/api/2.0/dbfs/create", json={"path": "/big", "overwrite": True}).json()["handle"]
        for size, status in ((1024 * 1024, 200), (1024 * 1024 + 1, 400)):
            data = {"handle": handle, "data": _base64(size)}
            assert http.post("/api/2.0/dbfs/add-block", json=data).status_code == status
        refused = http.post("/api/2.0/dbfs/put", json={"path": "/big2", "contents": _base64(1024 * 1024 + 1)})
    assert refused.json()["error_code"] == "MAX_BLOCK_SIZE_EXCEEDED"


def _base64(size: int) -> str:
    import base64

    return base64.b64encode(b"x" * size).decode()


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_a_body_beyond_the_limit_is_refused_before_it_is_kept(light: Server, framing: str) -> None:
    body = b'{"run_name": "' + b"x" * (17 * 1024 * 1024) + b'"}'
    content = body if framing == "content-length" else (body[n : n + 65536] for n in range(0, len(body), 65536))
    headers = {"content-type": "application/json"}
    with light.http() as http:
        answer = http.post("/api/2.2/jobs/runs/submit", content=content, headers=headers)
    assert answer.status_code == 413
    assert answer.json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
