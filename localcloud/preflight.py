"""What a machine must have before a local cloud can start on it."""

import shutil
from pathlib import Path

import psutil

from localcloud import ports, programs
from localcloud.errors import LocalCloudError
from localcloud.home import Home

_GIB = 1024**3
_MEMORY_GIB = 6
_DISK_GIB = 3


def check_machine(home: Home) -> None:
    """Makes sure of programs, jars, memory and disk.

    Raises:
        LocalCloudError: Something is missing; says what, and what to do.
    """
    programs.java()
    _check_installed(programs.jars("spark") / "*.jar", programs.jars("kafka") / "*.jar", programs.azurite())
    _check_memory(psutil.virtual_memory().available)
    _check_disk(_existing(home.root))


def check_ports(home: Home) -> None:
    """Makes sure that every port of the home can be listened on.

    Raises:
        LocalCloudError: One is in use; says for what and by whom.
    """
    for service, port in home.ports().items():
        if not ports.is_free(port):
            raise LocalCloudError(
                f"Port {port} is required for {service}, and {ports.listener(port)} has it: "
                f"stop that, or choose another with `--port {service}={ports.find_free(home.ports().values())}`"
            )


def _check_installed(*patterns: Path) -> None:
    for pattern in patterns:
        if not any(pattern.parent.glob(pattern.name)):
            raise LocalCloudError(f"{pattern} is required, and nothing was found there: run `make setup`")


def _check_memory(available: int) -> None:
    if available < _MEMORY_GIB * _GIB:
        raise LocalCloudError(
            f"{_MEMORY_GIB} GiB of free memory are required for Airflow, Kafka, Azurite and Spark, and "
            f"{available / _GIB:.1f} GiB were found: close other programs and try again"
        )


def _check_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _DISK_GIB * _GIB:
        raise LocalCloudError(
            f"{_DISK_GIB} GiB of free disk space are required, and {free / _GIB:.1f} GiB were found at {folder}: "
            f"free some, or choose a folder on another disk with `--home`"
        )


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
