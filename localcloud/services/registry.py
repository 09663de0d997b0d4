"""All services, and what each is started as."""

from functools import partial

from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.services import airflow, azurite, kafka, key_vault, workspace
from localcloud.services.service import Group, Service

NAMES = (
    "azurite",
    "kafka",
    "key-vault",
    "workspace",
    "airflow-api-server",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
)


def groups(home: Home) -> tuple[Group, ...]:
    return (
        Group("workspace", (workspace.service(home),)),
        Group("kafka", (kafka.service(home),), partial(kafka.prepare, home)),
        Group("azurite", (azurite.service(home),)),
        Group("key-vault", (key_vault.service(home),)),
        Group("airflow", airflow.services(home), partial(airflow.prepare, home)),
    )


def services(home: Home) -> dict[str, Service]:
    found = {service.name: service for group in groups(home) for service in group.services}
    return {name: found[name] for name in NAMES}


def find(home: Home, name: str) -> Service:
    """The service of that name.

    Raises:
        LocalCloudError: There is none.
    """
    if name not in NAMES:
        raise LocalCloudError(f"A service is one of {', '.join(NAMES)}; found {name}")
    return services(home)[name]
