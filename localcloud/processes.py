"""The processes of a home, found by the marker in their environment and by nothing else."""

import contextlib
import os

import psutil

from localcloud.home import MARKER, Home

_GRACE_SECONDS = 15


def of(home: Home) -> list[psutil.Process]:
    """What runs for this home, whoever started it; not the caller and its ancestors."""
    own = {os.getpid(), *(ancestor.pid for ancestor in psutil.Process().parents())}
    return [process for process in psutil.process_iter() if process.pid not in own and _belongs(process, home)]


def _belongs(process: psutil.Process, home: Home) -> bool:
    # A process that ended meanwhile, or belongs to another user, isn't ours.
    with contextlib.suppress(psutil.Error, OSError):
        return process.environ().get(MARKER) == str(home.root)
    return False


def stop(home: Home) -> int:
    """Ends all processes of this home, politely first; returns how many there were.

    Azurite writes down what it holds when it is asked to end.
    """
    running = of(home)
    for process in running:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(running, timeout=_GRACE_SECONDS)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=_GRACE_SECONDS)
    return len(running)
