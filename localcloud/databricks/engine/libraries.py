"""Libraries on clusters: wheels without what they need, which the runtime has, and packages of an index with it."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localcloud.databricks.files import FileTree
from localcloud.errors import LocalCloudError

_WHEEL = re.compile(r"[\w.]+-[\w.!+]+(-\d\w*)?-[\w.]+-[\w.]+-[\w.]+\.whl")
_NAME = re.compile(r"[\w.-]+")


class LibraryError(LocalCloudError):
    """Raised when a library can't be installed."""


def package(library: dict[str, Any]) -> str:
    """The name of the package that a library holds."""
    if "pypi" in library:
        found = _NAME.match(library["pypi"]["package"])
        return found[0].replace("-", "_").lower() if found else ""
    return str(library["whl"]).rpartition("/")[2].partition("-")[0].lower()


def fingerprint(files: FileTree, library: dict[str, Any]) -> str:
    """Changes with a wheel's content, not with where it lies; for a package of an index with what is asked for."""
    content = json.dumps(library, sort_keys=True).encode() if "pypi" in library else _wheel(files, library).read_bytes()
    return hashlib.sha256(content).hexdigest()


def install(files: FileTree, libraries: list[dict[str, Any]], target: Path) -> None:
    """Installs libraries into a folder that tasks and Spark's Python workers have on their path.

    Raises:
        LibraryError: The installer refused one.
    """
    wheels = [_wheel(files, library) for library in libraries if "whl" in library]
    if wheels:
        _uv(["--offline", "--no-deps", *wheels], target, ", ".join(wheel.name for wheel in wheels))
    for library in libraries:
        if "pypi" in library:
            _install_from_index(library["pypi"], target)


def _install_from_index(pypi: dict[str, str], target: Path) -> None:
    """With what it needs, in the versions that this machine's Python has, so that it takes the place of nothing."""
    present = target.parent / "present.txt"
    freeze = [_uv_program(), "pip", "freeze", "--no-config", "--exclude-editable", "--python", sys.executable]
    present.write_text(subprocess.run(freeze, check=True, capture_output=True, text=True).stdout)
    index = ["--index-url", pypi["repo"]] if pypi.get("repo") else []
    # What begins like an option would be one.
    _uv([*index, "--constraint", present, "--", pypi["package"]], target, pypi["package"])


def _uv(arguments: Sequence[str | Path], target: Path, what: str) -> None:
    command = [_uv_program(), "pip", "install", "--quiet", "--no-config", "--python", sys.executable]
    command += ["--target", str(target), *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise LibraryError(f"Library installation failed for {what}: {done.stderr.strip()}")


def _uv_program() -> str:
    return shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"


def _wheel(files: FileTree, library: dict[str, Any]) -> Path:
    wheel = files.file(library["whl"])
    if not _WHEEL.fullmatch(wheel.name):
        raise LibraryError(f"a wheel's file name is required (name-version-py3-none-any.whl), found {wheel.name}")
    return wheel
