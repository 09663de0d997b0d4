"""Builds the wheel and uploads it to the workspace: `python -m include.deploy`.

The folder's name holds the wheel's version and hash: a path always means the same code, and nothing is uploaded twice.
Signs in as databricks-sdk does: `DATABRICKS_HOST` and `DATABRICKS_TOKEN`, a profile, or Azure's own sign-in.
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.workspace import ImportFormat

from include.errors import ConfigurationError

_PROJECT = Path(__file__).resolve().parent.parent
_WHEELS = PurePosixPath("/Workspace/Shared/bookstore/wheels")


def build_wheel(project: Path, destination: Path) -> Path:
    """Builds the project's wheel with the installed hatchling: no network, and the same bytes for the same code.

    Raises:
        ConfigurationError: The build failed.
    """
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(destination)]
    build = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)  # noqa: S603
    if build.returncode:
        cause = (build.stderr.strip() or "no reason given").splitlines()[-1]
        raise ConfigurationError(f"the wheel of {project} could not be built: {cause}")
    return next(destination.glob("*.whl"))


def workspace_path(wheel: Path) -> str:
    """Where the wheel belongs in the workspace, e.g. `…/wheels/0.1.0-4f3a9c2b7d10/<file>`."""
    version = wheel.name.split("-")[1]
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()[:12]
    return str(_WHEELS / f"{version}-{digest}" / wheel.name)


def upload(workspace: WorkspaceClient, wheel: Path) -> str:
    """Uploads the wheel unless it is there, and returns its path in the workspace."""
    path = workspace_path(wheel)
    try:
        workspace.workspace.get_status(path)
    except NotFound:
        workspace.workspace.mkdirs(str(PurePosixPath(path).parent))
        workspace.workspace.upload(path, wheel.read_bytes(), format=ImportFormat.AUTO, overwrite=True)
    return path


def main() -> None:
    try:
        with tempfile.TemporaryDirectory() as scratch:
            path = upload(WorkspaceClient(), build_wheel(_PROJECT, Path(scratch)))
    except ConfigurationError as error:
        sys.exit(f"Error: {error}")
    print(f"BOOKSTORE_WHEEL={path}")  # noqa: T201 - the command's output


if __name__ == "__main__":
    main()
