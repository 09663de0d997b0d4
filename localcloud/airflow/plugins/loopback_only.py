"""Airflow's api-server refuses requests that don't belong on this machine, like every other server here."""

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from localcloud.loopback import LoopbackOnly


class LoopbackOnlyPlugin(AirflowPlugin):
    name = "loopback_only"
    fastapi_root_middlewares: list[Any] = [{"name": "Loopback only", "middleware": LoopbackOnly}]  # noqa: RUF012 - Airflow's
