"""The ledger in the documentation says what the server does, names the tests that prove it, and leaves out nothing."""

import re
from pathlib import Path

import httpx
from fastapi.routing import APIRoute

from localcloud.databricks.routes import (
    clusters,
    dbfs,
    files,
    jobs,
    libraries,
    local,
    runs,
    secrets,
    statements,
    users,
    workspace_files,
)
from tests.localcloud.databricks.client_routes import normal, of_clients
from tests.localcloud.databricks.server import Server

LEDGER = (Path(__file__).parents[3] / "docs" / "local-databricks.md").read_text()
GROUPS = (clusters, dbfs, files, jobs, libraries, local, runs, secrets, statements, users, workspace_files)
_REAL, _, _REFUSED = LEDGER.partition("### Refused with 501")


def listed(part: str) -> set[str]:
    return set(re.findall(r"`((?:GET|POST|PUT|PATCH|HEAD|DELETE) /api/\S+)`", part))


def served() -> set[str]:
    return {
        f"{method} {route.path.replace(':path', '')}"
        for group in GROUPS
        for route in group.router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in route.methods
    }


def test_every_route_is_in_the_ledger_and_no_other() -> None:
    assert listed(_REAL) == served()


def test_every_route_that_the_clients_call_is_real_or_refused() -> None:
    real, refused = {normal(route) for route in listed(_REAL)}, {normal(route) for route in listed(_REFUSED)}
    assert real & refused == set()
    assert of_clients() - real == refused


def test_what_the_ledger_calls_refused_is_refused(light: Server) -> None:
    with light.http() as http:
        for route in sorted(listed(_REFUSED)):
            method, path = re.sub(r"\{[^}]*\}", "x", route).split()
            answer = http.request(method, path)
            assert (route, answer.status_code) == (route, httpx.codes.NOT_IMPLEMENTED)
            assert answer.json()["message"] == f"{method} {path} is not implemented by the local workspace"


def test_every_test_that_the_ledger_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", LEDGER))
    found = {
        name
        for file in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert named - found == set()


def test_every_real_row_names_a_test() -> None:
    rows = [line for line in _REAL.splitlines() if re.match(r"\| `[A-Z]+ /api", line)]
    assert [row for row in rows if "`test_" not in row] == []
