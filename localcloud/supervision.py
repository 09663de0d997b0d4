"""Supervisor, which keeps the services of a home running in the background."""

import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import Faults, SupervisorTransport

from localcloud.home import MARKER, Home, write_private
from localcloud.waiting import wait_until

# The kernel's limit for a socket's path is 108 bytes on Linux and 104 on macOS.
_LONGEST_SOCKET = 100
_LIMIT_SECONDS = 60
# A service counts as STARTING for its first second, and may well answer before.
_ALIVE = {"STARTING", "RUNNING"}

_DAEMON = """\
[unix_http_server]
file={socket}
chmod=0700

[supervisord]
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={run}/supervisord.pid
directory={root}
umask=077

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

_PROGRAM = """
[program:{name}]
command={command}
autostart=false
autorestart=true
stopasgroup=true
killasgroup=true
stopwaitsecs=30
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""


@dataclass(frozen=True)
class State:
    """What Supervisor knows of a service.

    Attributes:
        name: Supervisor's word, e.g. `RUNNING`, `BACKOFF`, `FATAL`.
        description: A sentence's worth of detail, e.g. why it isn't running.
        uptime: Seconds since it was started; 0 unless it runs.
        pid: The process, another one after each start; 0 where there is none.
    """

    name: str
    description: str
    uptime: float
    pid: int

    @property
    def is_running(self) -> bool:
        return self.name in _ALIVE


def is_running(home: Home) -> bool:
    try:
        _ask(home).getPID()
    except OSError:
        return False
    except xmlrpc.client.Fault as fault:
        if fault.faultCode != Faults.SHUTDOWN_STATE:
            raise
    return True


def start(home: Home, names: tuple[str, ...]) -> None:
    """Starts Supervisor; the services stay down until each is asked for."""
    configuration = home.run / "supervisord.conf"
    write_private(configuration, _configuration(home, names))
    _socket(home).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(configuration)]
    # The daemon keeps what it is given as standard output for as long as it lives, so a pipe would never end.
    subprocess.run(command, env=_environment(home), stdin=subprocess.DEVNULL, check=True)
    wait_until(lambda: is_running(home), f"Supervisor should answer at {_socket(home)}", _LIMIT_SECONDS)


def shut_down(home: Home) -> None:
    """Stops all services and Supervisor; returns when Supervisor, which waits for them, is gone."""
    # By itself Supervisor would stop one service after the other.
    _ask(home).stopAllProcesses()
    _ask(home).shutdown()
    wait_until(lambda: not is_running(home), "Supervisor should stop", _LIMIT_SECONDS)


def start_service(home: Home, name: str) -> None:
    """Asks for a service to run; does nothing if it does."""
    try:
        _ask(home).startProcess(name, False)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode != Faults.ALREADY_STARTED:
            raise


def restart_service(home: Home, name: str) -> None:
    """Stops a service, waits for its end, and starts it with what its home says now."""
    _ask(home).stopProcess(name, True)
    start_service(home, name)


def state(home: Home, name: str) -> State:
    info = _ask(home).getProcessInfo(name)
    is_up = info["statename"] in _ALIVE
    return State(info["statename"], info["description"], info["now"] - info["start"] if is_up else 0, info["pid"])


def log(home: Home, name: str) -> Path:
    return home.logs / f"{name}.log"


def _ask(home: Home) -> Any:
    # The URL is ignored: the transport goes to the socket.
    transport = SupervisorTransport(serverurl=f"unix://{_socket(home)}")
    return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor


def _socket(home: Home) -> Path:
    """In the home; where its path is too long for a socket, in a short folder of its own."""
    path = home.run / "supervisor.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET:
        return path
    digest = hashlib.sha256(os.fsencode(home.root)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"localcloud-{os.getuid()}-{digest}" / "supervisor.sock"


def _configuration(home: Home, names: tuple[str, ...]) -> str:
    paths = {"logs": _escaped(home.logs), "run": _escaped(home.run), "root": _escaped(home.root)}
    daemon = _DAEMON.format(socket=_escaped(_socket(home)), **paths)
    return daemon + "".join(_PROGRAM.format(name=name, command=_command(home, name), **paths) for name in names)


def _command(home: Home, name: str) -> str:
    return _escaped(shlex.join([sys.executable, "-m", "localcloud.services", name, "--home", str(home.root)]))


def _escaped(value: str | Path) -> str:
    # Supervisor expands %(…)s.
    return str(value).replace("%", "%%")


def _environment(home: Home) -> dict[str, str]:
    # A proxy is for the outside world, and services talk to each other only.
    direct = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
    return {**os.environ, **direct, MARKER: str(home.root), "PYTHONUNBUFFERED": "1"}
