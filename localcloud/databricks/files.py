"""Workspace files, volumes and DBFS as one tree on disk, and the only way from their paths to it."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from localcloud.databricks.errors import invalid_parameter, not_found

WORKSPACE = "Workspace"
VOLUMES = "Volumes"
DBFS = "dbfs"
_DEEPEST = 18
_LONGEST_NAME = 200  # with room for what an unfinished upload adds, within the 255 of most file systems


@dataclass(frozen=True)
class FileTree:
    """Where uploaded files lie; no path from outside leads out of it."""

    root: Path

    def locate(self, path: str) -> Path:
        """A path as tasks and libraries name it: `/Workspace/…`, `/Volumes/…`, `dbfs:/…` or `/Users/…`, `/Shared/…`."""
        if path.startswith("dbfs:/Volumes/"):
            return self.within(VOLUMES, path.removeprefix("dbfs:/Volumes"))
        if path.startswith("dbfs:"):
            return self.within(DBFS, path.removeprefix("dbfs:"))
        for tree in (WORKSPACE, VOLUMES, DBFS):
            if path.startswith(f"/{tree}/"):
                return self.within(tree, path.removeprefix(f"/{tree}"))
        return self.within(WORKSPACE, path)

    def within(self, tree: str, path: str) -> Path:
        """A path within one tree, whose root is always there.

        Raises:
            ApiError: The path isn't absolute, or leads out of the tree.
        """
        parts = PurePosixPath(path).parts
        if not path.startswith("/") or ".." in parts or "\0" in path:
            raise invalid_parameter(f"an absolute path without '..' is required, found {path!r}")
        if len(parts[1:]) > _DEEPEST or any(len(part.encode(errors="replace")) > _LONGEST_NAME for part in parts):
            raise invalid_parameter(f"a path has at most {_DEEPEST} names of at most {_LONGEST_NAME} bytes each")
        base = (self.root / tree).resolve()
        base.mkdir(parents=True, exist_ok=True)
        target = base.joinpath(*parts[1:]).resolve()
        if not target.is_relative_to(base):
            raise invalid_parameter(f"a path within /{tree} is required, found {path!r}")
        return target

    def file(self, path: str) -> Path:
        """An existing file.

        Raises:
            ApiError: There is no file at the path.
        """
        target = self.locate(path)
        if not target.is_file():
            raise not_found(f"no file at {path}: upload it first")
        return target
