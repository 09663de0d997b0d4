"""Becomes a service: `python -m localcloud.services NAME --home HOME`.

`prepare` instead of a name makes the home and what services need before they start; `initialise` waits until they work
and does what can be done only then. `localcloud up` does both by itself.
"""

import argparse
import os
from pathlib import Path

from localcloud import certificates
from localcloud.home import MARKER, Home
from localcloud.services import registry
from localcloud.waiting import wait_until

_LIMIT_SECONDS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*registry.NAMES, "prepare", "initialise"])
    parser.add_argument("--home", type=Path, required=True)
    arguments = parser.parse_args()
    home = Home(arguments.home.resolve())
    if arguments.name == "prepare":
        _prepare(home)
    elif arguments.name == "initialise":
        _initialise(home)
    else:
        _become(home, arguments.name)


def _prepare(home: Home) -> None:
    home.create()
    certificates.create(home)
    for group in registry.groups(home):
        group.prepare()


def _initialise(home: Home) -> None:
    for service in registry.services(home).values():
        wait_until(service.is_healthy, f"{service.name} should answer at {service.address}", _LIMIT_SECONDS)
        service.initialise()


def _become(home: Home, name: str) -> None:
    """Replaces this process by the service, so that the supervisor's signals reach it.

    What is already in the environment wins: somebody put it there, as docker-compose.yaml does with Airflow's database.
    """
    service = registry.find(home, name)
    service.before_start()
    environment = {**service.environment, **os.environ, MARKER: str(home.root)}
    os.execvpe(service.command[0], service.command, environment)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
