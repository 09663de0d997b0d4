"""Building and uploading the wheel; the workspace is the narrow part of databricks-sdk that a deployment uses."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.errors import NotFound
from databricks.sdk.service.workspace import ImportFormat

from include.deploy import build_wheel, upload, workspace_path
from include.errors import ConfigurationError

REPOSITORY = Path(__file__).parents[2]


class WorkspaceFiles:
    """`WorkspaceClient.workspace`, as far as it is used; it is its own client."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.folders: list[str] = []
        self.workspace = self

    def get_status(self, path: str) -> None:
        if path not in self.files:
            raise NotFound(f"Path ({path}) doesn't exist.")

    def mkdirs(self, path: str) -> None:
        self.folders.append(path)

    def upload(self, path: str, content: bytes, **options: Any) -> None:
        assert path not in self.files
        assert options == {"format": ImportFormat.AUTO, "overwrite": True}
        self.files[path] = content


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the wheel is made of, as it is now."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(REPOSITORY / "spark_jobs", project / "spark_jobs", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, project)
    return project


def test_the_same_code_gives_the_same_path_and_other_code_another(project: Path, tmp_path: Path) -> None:
    first = build_wheel(project, tmp_path / "first")
    second = build_wheel(project, tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()
    (project / "spark_jobs" / "another.py").write_text("ANSWER = 42\n")
    third = build_wheel(project, tmp_path / "third")
    assert workspace_path(first) == workspace_path(second) != workspace_path(third)


def test_the_wheel_has_a_console_script_for_every_step(project: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel(project, tmp_path)) as wheel:
        assert {name.split("/")[0] for name in wheel.namelist()} == {
            "spark_jobs",
            "bookstore_segmentation-0.1.0.dist-info",
        }
        scripts = wheel.read("bookstore_segmentation-0.1.0.dist-info/entry_points.txt").decode()
    assert "merge_orders = spark_jobs.jobs.merge_orders:main" in scripts.splitlines()


def test_what_is_there_is_not_uploaded_again(tmp_path: Path) -> None:
    wheel = tmp_path / "bookstore_segmentation-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    files = WorkspaceFiles()
    folder = "/Workspace/Shared/bookstore/wheels/0.1.0-69f51477f05c"
    assert upload(files, wheel) == f"{folder}/{wheel.name}"  # type: ignore[arg-type]
    assert upload(files, wheel) == f"{folder}/{wheel.name}"  # type: ignore[arg-type]
    assert (files.files, files.folders) == ({f"{folder}/{wheel.name}": b"a wheel"}, [folder])


def test_a_build_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(ConfigurationError, match=r"could not be built: ValueError: Field `project\.version` "):
        build_wheel(tmp_path, tmp_path / "out")
