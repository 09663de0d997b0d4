"""The Databricks workspace."""

import sys
from functools import partial
from http import HTTPStatus

from localcloud.airflow.wheel import deploy_wheel
from localcloud.home import Home
from localcloud.ports import HOST
from localcloud.services.service import Service, status_code


def service(home: Home) -> Service:
    return Service(
        name="workspace",
        command=(sys.executable, "-m", "localcloud.databricks", "--home", str(home.root)),
        address=workspace_url(home),
        is_healthy=lambda: status_code(f"{workspace_url(home)}/healthz", home) == HTTPStatus.OK,
        initialise=partial(deploy_wheel, home),
    )


def workspace_url(home: Home) -> str:
    return f"http://{HOST}:{home.port('workspace')}"
