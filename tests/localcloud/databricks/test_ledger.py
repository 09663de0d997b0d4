"""The ledger in the documentation says what the server does, and names the tests that prove it."""

import re
from pathlib import Path

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
    users,
    workspace_files,
)

LEDGER = (Path(__file__).parents[3] / "docs" / "local-databricks.md").read_text()
GROUPS = (clusters, dbfs, files, jobs, libraries, local, runs, secrets, users, workspace_files)


def test_every_route_is_in_the_ledger_and_no_other() -> None:
    served = {
        f"{method} {route.path.replace(':path', '')}"
        for group in GROUPS
        for route in group.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert set(re.findall(r"`((?:GET|POST|PUT|HEAD|DELETE) /api/\S+)`", LEDGER)) == served


def test_every_test_that_the_ledger_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", LEDGER))
    found = {
        name
        for file in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert named - found == set()
