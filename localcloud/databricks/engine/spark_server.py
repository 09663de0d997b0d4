"""One Spark Connect server: a JVM with Spark and Delta that serves the tasks of one cluster."""

import hashlib
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from localcloud.databricks.engine.found_process import FoundProcess, Process, find, remember
from localcloud.databricks.engine.processes import stop_tree
from localcloud.databricks.engine.server_spec import ServerSpec, server_environment, write_configuration
from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.ports import HOST

_MAIN = "org.apache.spark.sql.connect.service.SparkConnectServer"
_START_SECONDS = 180
_POLL_SECONDS = 0.05
_LOG_LINES_SHOWN = 15
_LAST_LINES_SECONDS = 2
_LOG_WRITER = Path(__file__).with_name("write_log.py")


class ClusterStartError(LocalCloudError):
    """Raised when a cluster's Spark server doesn't come up."""


@dataclass(frozen=True)
class SparkServer:
    """A running server.

    Attributes:
        ui_port: Where Spark's own pages are.
        log_writer: The process that writes its log, and ends with it.
        libraries: The packages that it has, each with its content's hash.
    """

    process: Process
    port: int
    ui_port: int
    spec: ServerSpec
    token: str
    log_writer: Process
    libraries: dict[str, str] = field(default_factory=dict)

    def remote(self, session_id: str) -> str:
        """The URL for `SPARK_REMOTE`; pyspark sends a token without TLS to the host named `localhost` alone."""
        return f"{self.remote_anonymous()};session_id={session_id}"

    def remote_anonymous(self) -> str:
        """The URL for a session of its own, to be used with the token."""
        return f"sc://localhost:{self.port}/;user_id=localcloud"

    def remote_with_token(self) -> str:
        """The same for use within this process only, since it carries the token."""
        return f"{self.remote_anonymous()};token={self.token}"

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def wait_until_listening(self) -> None:
        """Returns when tasks can connect.

        Raises:
            ClusterStartError: The JVM ended, or took too long.
        """
        deadline = time.monotonic() + _START_SECONDS
        while not _is_listening(self.port):
            if not self.is_running:
                raise ClusterStartError(f"the cluster's JVM ended with code {self.process.returncode}: {_tail(self)}")
            if time.monotonic() > deadline:
                raise ClusterStartError(f"the cluster did not listen within {_START_SECONDS} s: {_tail(self)}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        stop_tree(self.process.pid)
        self.process.wait()
        with suppress(subprocess.TimeoutExpired):
            self.log_writer.wait(_LAST_LINES_SECONDS)

    def remember(self) -> None:
        """Writes down what the next workspace server needs to go on with it, should this one be killed."""
        remember(
            _memory(self.spec),
            self.process.pid,
            port=self.port,
            ui_port=self.ui_port,
            log_writer=self.log_writer.pid,
            libraries=self.libraries,
            settings=_digest(self.spec),
        )


def launch_server(home: Home, spec: ServerSpec) -> SparkServer:
    """Starts a server and returns at once."""
    port, ui_port = _free_port(), _free_port()
    write_configuration(home, spec, port, ui_port)
    log_writer, output = _start_log_writer(home, spec)
    process = subprocess.Popen(
        ["java", f"@{spec.conf / 'jvm.args'}", _MAIN],
        cwd=spec.folder,
        env=server_environment(home, spec),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    os.close(output)
    return SparkServer(process, port, ui_port, spec, home.secret("connect-token"), log_writer)


def find_server(home: Home, spec: ServerSpec) -> SparkServer | None:
    """The server of this specification that an earlier workspace started, if it still runs and has pages."""
    nowhere = spec.folder / "exit"  # a JVM leaves no exit code
    found = find(_memory(spec), nowhere)
    if found is None or found[0].poll() is not None:
        return None
    process, told = found
    if told["settings"] != _digest(spec) or "ui_port" not in told:
        return None
    log_writer = FoundProcess(None, told["log_writer"], nowhere)
    token = home.secret("connect-token")
    return SparkServer(process, told["port"], told["ui_port"], spec, token, log_writer, told["libraries"])


def _memory(spec: ServerSpec) -> Path:
    return spec.folder / "server.json"


def _digest(spec: ServerSpec) -> str:
    """Tells changed settings, without being the secrets among them."""
    return hashlib.sha256(spec.settings.encode()).hexdigest()


def _start_log_writer(home: Home, spec: ServerSpec) -> tuple[Process, int]:
    """The process that writes the server's log, and the pipe to it."""
    reader, output = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", _LOG_WRITER, spec.log],
        env=server_environment(home, spec),
        stdin=reader,
        start_new_session=True,
    )
    os.close(reader)
    return process, output


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _tail(server: SparkServer) -> str:
    with suppress(subprocess.TimeoutExpired):
        server.log_writer.wait(_LAST_LINES_SECONDS)
    return "\n".join(server.spec.log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:])
