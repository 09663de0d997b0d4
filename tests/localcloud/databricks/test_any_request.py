"""Requests of every kind that the routes' own OpenAPI document allows, and some that it doesn't: none is a 5xx."""

from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from fastapi.openapi.utils import get_openapi
from hypothesis import HealthCheck, settings

from localcloud.databricks.routes import clusters, dbfs, files, jobs, libraries, runs, secrets, statements, users
from localcloud.databricks.routes import workspace_files as workspace
from tests.localcloud.databricks.server import Server

GROUPS = (clusters, dbfs, files, jobs, libraries, runs, secrets, statements, users, workspace)


def document() -> dict[str, Any]:
    """The routes' OpenAPI document, with a version in paths that serve several."""
    routes = [route for group in GROUPS for route in group.router.routes]
    described = get_openapi(title="workspace", version="2.2", routes=routes)
    paths = {path.replace("{version}", "2.2"): methods for path, methods in described["paths"].items()}
    return {**described, "paths": paths}


schema = schemathesis.openapi.from_dict(document())


@pytest.mark.full
@schema.parametrize()
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_no_request_breaks_the_server(case: schemathesis.Case[Any], light: Server) -> None:
    answer = case.call(base_url=light.url, headers={"Authorization": f"Bearer {light.token}"})
    assert answer.status_code < 500 or answer.status_code == HTTPStatus.NOT_IMPLEMENTED, answer.text
    assert light.token not in answer.text
