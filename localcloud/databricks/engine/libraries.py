"""Wheels on clusters: installed without their dependencies, which the runtime has."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from localcloud.databricks.files import FileTree
from localcloud.errors import LocalCloudError

_WHEEL = re.compile(r"[\w.]+-[\w.!+]+(-\d\w*)?-[\w.]+-[\w.]+-[\w.]+\.whl")


class LibraryError(LocalCloudError):
    """Raised when a library can't be installed."""


def wheel_files(files: FileTree, libraries: list[dict[str, Any]]) -> list[Path]:
    """The files that the libraries name."""
    return [_wheel(files, library["whl"]) for library in libraries]


def package(library: dict[str, Any]) -> str:
    """The name of the package that a wheel holds."""
    return str(library["whl"]).rpartition("/")[2].partition("-")[0].lower()


def fingerprint(wheel: Path) -> str:
    """Changes with the wheel's content, not with where it lies."""
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def install(wheels: list[Path], target: Path) -> None:
    """Installs the wheels into a folder that tasks and Spark's Python workers have on their path.

    Raises:
        LibraryError: The installer refused a wheel.
    """
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    command = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--no-config"]
    done = subprocess.run(
        [*command, "--python", sys.executable, "--target", target, *wheels],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        names = ", ".join(wheel.name for wheel in wheels)
        raise LibraryError(f"Library installation failed for {names}: {done.stderr.strip()}")


def _wheel(files: FileTree, path: str) -> Path:
    wheel = files.file(path)
    if not _WHEEL.fullmatch(wheel.name):
        raise LibraryError(f"a wheel's file name is required (name-version-py3-none-any.whl), found {wheel.name}")
    return wheel
