"""Starting processes with a clean environment, and stopping all that they started."""

import os
from collections.abc import Iterator
from contextlib import suppress

import psutil

from localcloud.home import MARKER, Home

CLUSTER_MARKER = "LOCALCLOUD_CLUSTER"
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "JAVA_HOME", "USER", "LOGNAME", "TMPDIR")
_GRACE_SECONDS = 5


def clean_environment(home: Home, cluster_id: str) -> dict[str, str]:
    """The few variables that a cluster or task gets from this process, and the marks by which leftovers are found."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        **inherited,
        "LANG": inherited.get("LANG", "C.UTF-8"),
        "TZ": "UTC",
        MARKER: str(home.root),
        CLUSTER_MARKER: cluster_id,
    }


def stop_tree(pid: int) -> None:
    """Stops a process and its descendants: first asks, then kills what is left."""
    try:
        root = psutil.Process(pid)
        family = [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return
    stop_all(family)


def stop_all(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=_GRACE_SECONDS)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=_GRACE_SECONDS)


def leftovers(home: Home) -> Iterator[psutil.Process]:
    """Clusters and tasks of this home that an earlier server left behind."""
    for process in psutil.process_iter():
        environment = _environment(process)
        if CLUSTER_MARKER in environment and environment.get(MARKER) == str(home.root):
            yield process


def belongs_to(process: psutil.Process, pids: list[int]) -> bool:
    """Whether the process is one of these, or was started by one."""
    try:
        return process.pid in pids or any(parent.pid in pids for parent in process.parents())
    except psutil.NoSuchProcess:
        return False


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
        return {}  # another user's, or gone: not one of ours
