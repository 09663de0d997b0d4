"""A task as a process of its own, with a Spark Connect session of its own."""

import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from localcloud.databricks.engine.found_process import Process, find, remember
from localcloud.databricks.engine.processes import clean_environment, stop_tree
from localcloud.databricks.engine.spark_server import SparkServer
from localcloud.databricks.files import FileTree
from localcloud.databricks.payloads.tasks import Task
from localcloud.databricks.secret_scopes import SCOPES_FOLDER
from localcloud.home import Home

_LAUNCHER = Path(__file__).with_name("launch.py")
_RUNTIME = Path(__file__).with_name("runtime")
_MEMORY = "process.json"
_EXIT = "exit"


@dataclass(frozen=True)
class TaskProcess:
    """A started task."""

    process: Process
    folder: Path
    server: SparkServer
    session_id: str

    def wait(self, seconds: float) -> bool:
        """Whether the task has ended, waiting at most so long."""
        try:
            self.process.wait(timeout=seconds)
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
            return False
        return True

    def stop(self) -> None:
        """Ends the process and all that it started."""
        stop_tree(self.process.pid)
        self.process.wait()


def failure(code: int, folder: Path) -> tuple[str, str]:
    """The error of a task that ended with this code, and its traceback, as the task left them."""
    outcome = folder / "outcome.json"
    if outcome.is_file():
        told: dict[str, str] = json.loads(outcome.read_text())
        return told["error"], told["error_trace"]
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return f"The task's process {how} before it could say why", ""


def start_task(
    home: Home,
    *,
    files: FileTree,
    server: SparkServer,
    folder: Path,
    task: Task,
    values: dict[str, dict[str, Any]],
) -> TaskProcess:
    """Starts a task's process.

    Args:
        home: The local cloud.
        files: Where a `spark_python_task` finds its file.
        server: The cluster.
        folder: Where the task's output and working directory go.
        task: What to run.
        values: What earlier tasks have set for it, by task.
    """
    workdir = folder / "work"
    workdir.mkdir(parents=True)
    context = {"values": values, "secrets": str(home.workspace / SCOPES_FOLDER)}
    (folder / "task.json").write_text(json.dumps(_definition(files, server, task) | context))
    session_id = str(uuid.uuid4())
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-u", "-P", _LAUNCHER, folder],
            cwd=workdir,
            env=_environment(home, server, session_id),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    remember(folder / _MEMORY, process.pid, session_id=session_id)
    return TaskProcess(process, folder, server, session_id)


def find_task(folder: Path, server: SparkServer) -> TaskProcess | None:
    """The task that an earlier workspace server started in this folder, if it lives."""
    found = find(folder / _MEMORY, folder / _EXIT)
    if found is None or found[0].poll() is not None:
        return None
    return TaskProcess(found[0], folder, server, found[1]["session_id"])


def living_task(folder: Path) -> int | None:
    """The process of the task in this folder, if it lives."""
    found = find(folder / _MEMORY, folder / _EXIT)
    return found[0].pid if found is not None and found[0].poll() is None else None


def ended_task(folder: Path) -> tuple[int, Path] | None:
    """The exit code of the task in this folder, if it has ended by itself."""
    return (int((folder / _EXIT).read_text()), folder) if (folder / _EXIT).is_file() else None


def _environment(home: Home, server: SparkServer, session_id: str) -> dict[str, str]:
    return {
        **clean_environment(home, server.spec.cluster_id),
        **server.spec.environment,
        "SPARK_REMOTE": server.remote(session_id),
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": server.token,
        # What a wheel brings comes first; `dbutils` is at hand as on Databricks.
        "PYTHONPATH": f"{server.spec.libraries}:{_RUNTIME}",
    }


def _definition(files: FileTree, server: SparkServer, task: Task) -> dict[str, Any]:
    if wheel := task.python_wheel_task:
        named = [f"--{name}={value}" for name, value in wheel.named_parameters.items()]
        return {
            "kind": "wheel",
            "name": wheel.entry_point,
            "package": wheel.package_name,
            "entry_point": wheel.entry_point,
            "parameters": [*wheel.parameters, *named],
            "libraries": str(server.spec.libraries),
        }
    if notebook := task.notebook_task:
        file = str(files.file(notebook.notebook_path))
        root = str(files.locate("/Workspace/"))
        return {"kind": "notebook", "file": file, "root": root, "widgets": notebook.base_parameters}
    assert task.spark_python_task is not None  # noqa: S101 - the payload's own rule
    script = task.spark_python_task
    file = str(files.file(script.python_file))
    return {"kind": "script", "name": file, "file": file, "parameters": script.parameters}
