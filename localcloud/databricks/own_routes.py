"""Asking the workspace for what Databricks has no route for."""

from typing import Any

import httpx

from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.ports import HOST

_CLUSTER_START_SECONDS = 300


def ask(home: Home, method: str, route: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """The workspace's answer.

    Raises:
        LocalCloudError: It isn't up, or refuses.
    """
    url = f"http://{HOST}:{home.port('workspace')}/api/localcloud/{route}"
    token = {"Authorization": f"Bearer {home.secret('databricks-token')}"}
    try:
        answer = httpx.request(method, url, headers=token, json=body, timeout=_CLUSTER_START_SECONDS)
    except httpx.TransportError as error:
        raise LocalCloudError(f"The workspace does not answer at {url} ({error}): start it with `make up`") from error
    content: dict[str, Any] = answer.json()
    if answer.is_error:
        raise LocalCloudError(f"The workspace refuses {route}: {content['message']}")
    return content
