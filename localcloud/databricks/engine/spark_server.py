"""One Spark Connect server: a JVM with Spark and Delta that serves the tasks of one cluster."""

import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

from localcloud.databricks.engine.processes import clean_environment, stop_tree
from localcloud.errors import LocalCloudError
from localcloud.home import Home, write_private
from localcloud.ports import HOST
from localcloud.storage import hadoop_conf, jvm_options

_MAIN = "org.apache.spark.sql.connect.service.SparkConnectServer"
_START_SECONDS = 180
_POLL_SECONDS = 0.05
_LOG_LINES_SHOWN = 15
_LAST_LINES_SECONDS = 2

# What spark-submit would pass (org.apache.spark.launcher.JavaModuleOptions).
_MODULE_OPTIONS = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    "--add-modules=jdk.incubator.vector",
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in (
            "java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util",
            "java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref", "sun.nio.ch", "sun.nio.cs",
            "sun.security.action", "sun.util.calendar",
        )
    ),
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
)  # fmt: skip

# For small data on few cores: half of what a fresh server does is optimising code, which pays in loops over rows alone.
# So what is to be optimised has to run six times as often as usual.
_SMALL_JVM = (
    "-XX:Tier4InvocationThreshold=30000",
    "-XX:Tier4MinInvocationThreshold=10000",
    "-XX:Tier4CompileThreshold=40000",
    "-XX:Tier4BackEdgeThreshold=200000",
    "-XX:ReservedCodeCacheSize=512m",
    "-XX:+UseSerialGC",
)

# What the Databricks runtime sets, and what suits small tables on few cores: each partition costs more than its rows.
# A cluster's own spark_conf may say otherwise.
_SPARK_DEFAULTS = {
    "spark.master": "local[*]",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "2",
    # A commit's checksum file costs a job of its own; it speeds up the opening of large tables.
    "spark.databricks.delta.writeChecksumFile.enabled": "false",
}

# What no cluster may change: nothing is open to other machines, and no secret is shown.
_ENFORCED = {
    "spark.driver.host": HOST,
    "spark.driver.bindAddress": HOST,
    "spark.connect.grpc.binding.address": HOST,
    "spark.ui.enabled": "false",
    "spark.redaction.regex": "(?i)secret|password|token|credential|access[.]?key|account[.]?key",
}

_LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{yyyy-MM-dd HH:mm:ss} %p %c{1}: %m%n%ex
# What a client asked wrongly, or after its session was closed, is told to the client.
logger.requests.name = org.apache.spark.sql.connect.utils.ErrorUtils
logger.requests.level = off
# Says with a stack trace that a folder which is looked for isn't there.
logger.sink.name = org.apache.spark.sql.execution.streaming.sinks.FileStreamSink
logger.sink.level = error
"""


class ClusterStartError(LocalCloudError):
    """Raised when a cluster's Spark server doesn't come up."""


@dataclass(frozen=True)
class ServerSpec:
    """What a server is started with, secrets resolved.

    Attributes:
        folder: The cluster's own folder.
        spark_conf: Settings that any task may read.
        private_hadoop_conf: Hadoop settings that came from secrets: they go to `core-site.xml` alone.
    """

    cluster_id: str
    folder: Path
    spark_conf: dict[str, str]
    private_hadoop_conf: dict[str, str]
    environment: dict[str, str]
    heap: str = "3g"

    @property
    def libraries(self) -> Path:
        return self.folder / "libraries"

    @property
    def conf(self) -> Path:
        return self.folder / "conf"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"


@dataclass(frozen=True)
class SparkServer:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    spec: ServerSpec
    token: str
    log: threading.Thread

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
    _write_configuration(home, spec, port)
    process = subprocess.Popen(
        ["java", f"@{spec.conf / 'jvm.args'}", _MAIN],
        cwd=spec.folder,
        env=_environment(home, spec),
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


def _write_configuration(home: Home, spec: ServerSpec, port: int) -> None:
    for folder in (spec.libraries, spec.conf, spec.folder / "scratch"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(spec.conf / "core-site.xml", _core_site(hadoop_conf(home) | spec.private_hadoop_conf))
    (spec.conf / "log4j2.properties").write_text(_LOG4J)
    own = {
        "spark.app.name": spec.cluster_id,
        "spark.connect.grpc.binding.port": str(port),
        "spark.local.dir": str(spec.folder / "scratch"),
        "spark.sql.warehouse.dir": str(spec.folder / "warehouse"),
        "spark.pyspark.python": sys.executable,
    }
    properties = [f"-D{name}={value}" for name, value in (_SPARK_DEFAULTS | spec.spark_conf | _ENFORCED | own).items()]
    arguments = [
        *_MODULE_OPTIONS,
        *_SMALL_JVM,
        *jvm_options(home),
        f"-Xmx{spec.heap}",
        *properties,
        "-cp",
        _classpath(spec.conf),
    ]
    write_private(spec.conf / "jvm.args", "\n".join(map(_quoted, arguments)) + "\n")


def _environment(home: Home, spec: ServerSpec) -> dict[str, str]:
    return {
        **clean_environment(home, spec.cluster_id),
        **spec.environment,
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": home.secret("connect-token"),
        "HADOOP_CONF_DIR": str(spec.conf),
        # Python workers of the server (foreachBatch, UDFs) import the cluster's libraries too.
        "PYTHONPATH": str(spec.libraries),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


def _classpath(conf: Path) -> str:
    pyspark = find_spec("pyspark")  # found, not imported: that takes a second
    assert pyspark is not None  # noqa: S101 - it is a dependency
    assert pyspark.origin is not None  # noqa: S101
    return f"{conf}:{Path(pyspark.origin).parent / 'jars'}/*:{Path(sys.prefix) / 'jars' / 'spark'}/*"


def _core_site(properties: dict[str, str]) -> str:
    entries = "\n".join(
        f"<property><name>{escape(name)}</name><value>{escape(value)}</value></property>"
        for name, value in properties.items()
    )
    return f'<?xml version="1.0"?>\n<configuration>\n{entries}\n</configuration>\n'


def _quoted(argument: str) -> str:
    """An argument as a line of a java @file."""
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


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
