"""Airflow's four programs, as `localcloud.airflow.config` has them run."""

from functools import partial

from localcloud.airflow import config
from localcloud.home import Home
from localcloud.ports import HOST
from localcloud.services.service import Service, get

# What the api-server says of each program besides itself.
_COMPONENTS = {
    "airflow-scheduler": "scheduler",
    "airflow-dag-processor": "dag_processor",
    "airflow-triggerer": "triggerer",
}


def services(home: Home) -> tuple[Service, ...]:
    environment = config.environment(home)
    return tuple(
        Service(
            name=name,
            command=tuple(command),
            address=airflow_url(home) if name not in _COMPONENTS else "",
            is_healthy=partial(_is_healthy, home, _COMPONENTS.get(name, "metadatabase")),
            environment=environment,
        )
        for name, command in config.services(home).items()
    )


def prepare(home: Home) -> None:
    config.prepare(home)


def airflow_url(home: Home) -> str:
    return f"http://{HOST}:{home.port('airflow')}"


def _is_healthy(home: Home, component: str) -> bool:
    response = get(f"{airflow_url(home)}/api/v2/monitor/health", home)
    if response is None or not response.is_success:
        return False
    healthy: bool = response.json()[component]["status"] == "healthy"
    return healthy
