"""Airflow's api-server takes one writing request after the other where its database is SQLite."""

from typing import Any

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk.configuration import conf

from localcloud.airflow.sqlite import OneWriteAtATime

_IS_SQLITE = conf.get("database", "sql_alchemy_conn").startswith("sqlite")


class OneWriteAtATimePlugin(AirflowPlugin):
    name = "one_write_at_a_time"
    fastapi_root_middlewares: list[Any] = (
        [{"name": "One write at a time", "middleware": OneWriteAtATime}] if _IS_SQLITE else []
    )
