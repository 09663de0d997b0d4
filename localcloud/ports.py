"""Loopback ports: finding free ones, and saying who has one that isn't."""

import contextlib
import random
import socket
from collections.abc import Iterable

import psutil

HOST = "127.0.0.1"

# Below the range that Linux (32768) and macOS (49152) lend to outgoing connections, so that a port that was free when
# a home was made isn't lent to some client while the home is stopped.
_RANGE = range(20000, 32000)


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now, one that lingers in TIME_WAIT included."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def find_free(taken: Iterable[int]) -> int:
    """A free port that isn't among those taken; random, so that homes that aren't running rarely choose the same."""
    candidates = set(_RANGE).difference(taken)
    return next(port for port in random.sample(sorted(candidates), len(candidates)) if is_free(port))


def listener(port: int) -> str:
    """The program that listens on a port, as far as this user may know it."""
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error):
            if any(c.status == psutil.CONN_LISTEN and c.laddr[1] == port for c in process.net_connections("tcp")):
                return f"{process.info['name']} (process {process.pid})"
    return "another program"
