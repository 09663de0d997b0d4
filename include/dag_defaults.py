"""What every DAG here has in common."""

from datetime import timedelta
from typing import Any

from include.alerts import alerts
from include.settings import Settings

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "bookstore",
    # What fails for a busy machine or a short outage mends itself; what is wrong in itself fails again, soon.
    "retries": 2,
    "retry_delay": timedelta(seconds=15),
    # Bounds each stretch of work in Airflow; while a task is deferred, the run's own time limit on Databricks counts.
    "execution_timeout": timedelta(minutes=10),
    "on_failure_callback": alerts(Settings.load()),
}


def tags(*layers: str) -> list[str]:
    """The DAG's tags: what it writes, and the wheel that it runs."""
    return ["bookstore", *layers, f"wheel {Settings.load().wheel_version}"]
