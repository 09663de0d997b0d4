"""Other processes, any of which may end while it is looked at."""

import psutil


def command(process: psutil.Process) -> list[str]:
    """The words of a process's command; none of one that has ended, or that is another user's."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []
