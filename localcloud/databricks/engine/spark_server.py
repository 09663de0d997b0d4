"""One Spark Connect server: a JVM with Spark and Delta that serves the tasks of one cluster."""

import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

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


class ClusterStartError(LocalCloudError):
    """Raised when a cluster's Spark server doesn't come up."""


@dataclass(frozen=True)
class SparkServer:
    """A running server.

    Attributes:
        libraries: The packages that it has, each with its content's hash.
    """

    process: subprocess.Popen[bytes]
    port: int
    spec: ServerSpec
    token: str
    log: threading.Thread
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


def launch_server(home: Home, spec: ServerSpec) -> SparkServer:
    """Starts a server and returns at once."""
    port = _free_port()
    write_configuration(home, spec, port)
    process = subprocess.Popen(
        ["java", f"@{spec.conf / 'jvm.args'}", _MAIN],
        cwd=spec.folder,
        env=server_environment(home, spec),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101 - asked for above
    token = home.secret("connect-token")
    log = threading.Thread(target=_write_log, args=(process.stdout, spec.log, token), daemon=True)
    log.start()
    return SparkServer(process, port, spec, token, log)


def _write_log(output: IO[bytes], log: Path, token: str) -> None:
    """Copies what the server prints, without the token: pyspark's workers print the address that they connect to."""
    with log.open("wb", buffering=0) as file:
        for line in output:
            file.write(line.replace(token.encode(), b"[REDACTED]"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _tail(server: SparkServer) -> str:
    server.log.join(_LAST_LINES_SECONDS)
    return "\n".join(server.spec.log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:])
