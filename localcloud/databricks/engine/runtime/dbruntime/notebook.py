"""Notebooks in source format: Python cells, and the magic commands `%sql`, `%run` and `%md`."""

import linecache
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import UserNamespaceInitializer
from .dbutils import NotebookExit

_SEPARATOR = "# COMMAND ----------"
_MAGIC = "# MAGIC"


class NotebookError(Exception):
    """Raised when a notebook has what can't be run locally."""


def run_notebook(file: Path, root: Path) -> None:
    """Runs a notebook to its end, or to its `dbutils.notebook.exit`.

    Args:
        file: The notebook.
        root: The workspace's files, where absolute paths in `%run` begin.
    """
    namespace = {"__name__": "__main__", **UserNamespaceInitializer.getOrCreate().get_namespace_globals()}
    try:
        _run(file, root, namespace)
    except NotebookExit:
        return


def _run(file: Path, root: Path, namespace: dict[str, Any]) -> None:
    source = file.read_text()
    linecache.cache[str(file)] = (len(source), None, source.splitlines(keepends=True), str(file))
    for first_line, lines in _cells(source):
        magic = [line.removeprefix(_MAGIC).removeprefix(" ") for line in lines if line.startswith(_MAGIC)]
        if magic:
            _run_magic(magic, file, root, namespace)
        else:
            # Empty lines before the cell give its lines the numbers that they have in the file.
            exec(compile("\n" * first_line + "\n".join(lines), str(file), "exec"), namespace)  # noqa: S102


def _cells(source: str) -> Iterator[tuple[int, list[str]]]:
    """Each cell's lines, and how many lines come before it."""
    begin, cell = 0, []
    for number, line in enumerate([*source.splitlines(), _SEPARATOR]):
        if line.strip() != _SEPARATOR:
            cell.append(line)
            continue
        yield begin, cell
        begin, cell = number + 1, []


def _run_magic(lines: list[str], file: Path, root: Path, namespace: dict[str, Any]) -> None:
    command, *words = "\n".join(lines).split(maxsplit=1)
    rest = "".join(words)
    if command == "%sql":
        namespace["_sqldf"] = namespace["spark"].sql(rest)
        namespace["_sqldf"].show()
    elif command == "%run":
        wanted = rest.strip().strip('"')
        other = root / wanted.removeprefix("/Workspace").lstrip("/") if wanted.startswith("/") else file.parent / wanted
        _run(other, root, namespace)
    elif command not in ("%md", "%md-sandbox"):
        raise NotebookError(f"{command} can't be run locally; %sql, %run and %md can")
