"""Runs in a task's own process: finds what to run, runs it, and writes down how it failed.

A script, not imported by the server; it imports nothing but the standard library and what lies in `runtime`, which
needs nothing else either, so that a task starts fast.
"""

import json
import runpy
import sys
import traceback
from collections.abc import Callable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from dbruntime import prepare
from dbruntime.notebook import run_notebook


class TaskDefinitionError(Exception):
    """Raised when the task names a package or entry point that the cluster's libraries don't have."""


def main(folder: Path) -> int:
    task: dict[str, Any] = json.loads((folder / "task.json").read_text())
    try:
        _execute(task, folder)
    except SystemExit as exit_request:
        if exit_request.code in (None, 0):
            return 0
        return _failed(folder, exit_request)
    except BaseException as error:  # whatever the task raises is its outcome, and is reported as such
        return _failed(folder, error)
    return 0


def _execute(task: dict[str, Any], folder: Path) -> None:
    prepare(folder, task)
    if task["kind"] == "notebook":
        run_notebook(Path(task["file"]), Path(task["root"]))
        return
    sys.argv = [task["name"], *task["parameters"]]
    if task["kind"] == "wheel":
        _entry_point(Path(task["libraries"]), task["package"], task["entry_point"])()
    else:
        sys.path.insert(0, str(Path(task["file"]).parent))
        runpy.run_path(task["file"], run_name="__main__")


def _entry_point(libraries: Path, package: str, name: str) -> Callable[[], object]:
    """The package's entry point of that name in any group; where there is none, the package's function of that name."""
    for entry_point in _installed(libraries, package).entry_points:
        if entry_point.name == name:
            loaded: Callable[[], object] = entry_point.load()
            return loaded
    module = __import__(package.replace("-", "_"))
    if not hasattr(module, name):
        raise TaskDefinitionError(f"the package {package} has no entry point and no function named {name!r}")
    function: Callable[[], object] = getattr(module, name)
    return function


def _installed(libraries: Path, package: str) -> Distribution:
    found = {_normal(each.name): each for each in distributions(path=[str(libraries)])}
    if _normal(package) not in found:
        names = ", ".join(sorted(found)) or "none"
        raise TaskDefinitionError(f"the package {package!r} is required and the task's libraries hold: {names}")
    return found[_normal(package)]


def _normal(name: str) -> str:
    return name.replace("_", "-").replace(".", "-").lower()


def _failed(folder: Path, error: BaseException) -> int:
    own_frames = {__file__, runpy.__file__, "<frozen runpy>", run_notebook.__code__.co_filename}
    told = traceback.TracebackException.from_exception(error)
    told.stack = traceback.StackSummary.from_list([frame for frame in told.stack if frame.filename not in own_frames])
    trace = "".join(told.format())
    summary = "".join(told.format_exception_only()).strip()
    (folder / "outcome.json").write_text(json.dumps({"error": summary, "error_trace": trace}))
    sys.stdout.flush()
    print(trace, file=sys.stderr, flush=True)  # noqa: T201 - the task's own stderr
    return 1


if __name__ == "__main__":
    own = Path(sys.argv[1])
    code = main(own)
    # Should the workspace server be another by now, it has no other way to know.
    (own / "exit").write_text(str(code))
    sys.exit(code)
