"""What a Spark Connect server is started with: its settings, files and environment."""

import json
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import escape

from localcloud.databricks.engine.processes import clean_environment
from localcloud.home import Home, write_private
from localcloud.ports import HOST
from localcloud.storage import hadoop_conf, jvm_options

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
# So what is to be optimised has to run six times as often as usual, and less is inlined into it.
_SMALL_JVM = (
    "-XX:Tier4InvocationThreshold=30000",
    "-XX:Tier4MinInvocationThreshold=10000",
    "-XX:Tier4CompileThreshold=40000",
    "-XX:Tier4BackEdgeThreshold=200000",
    "-XX:InlineSmallCode=1000",
    "-XX:ReservedCodeCacheSize=512m",  # with room to spare: once it is full, Spark is interpreted
    "-XX:+UseSerialGC",
    "-XX:MetaspaceSize=400m",  # else Spark's classes cost a full collection each time there are half as many again
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
    # Clients ask for it: without, they note for each column of a plan the line of Python that made it.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    # Statements come again with every run of a DAG. One run makes many more classes than the default of a hundred, so
    # that each would be compiled and warmed up anew.
    "spark.sql.codegen.cache.maxEntries": "5000",
}

# What no cluster may change: nothing is open to other machines, and no secret is shown, or written down where memory is
# short: among the blocks that Spark moves to disk are the settings of each reader, with the storage key.
_ENFORCED = {
    "spark.driver.host": HOST,
    "spark.driver.bindAddress": HOST,
    "spark.connect.grpc.binding.address": HOST,
    # The workspace shows Spark's pages to who has logged in; asked by anybody else, Spark refuses them.
    "spark.ui.enabled": "true",
    "spark.ui.killEnabled": "false",
    "spark.ui.filters": "org.apache.spark.ui.JWSFilter",
    "spark.io.encryption.enabled": "true",
    "spark.redaction.regex": "(?i)secret|password|token|credential|access[.]?key|account[.]?key",
}

SERVER_LOG = "server.log"
UI_KEY = "spark-ui-key"
"""The secret with which the workspace signs what it asks of Spark's pages, in base64 for URLs."""

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
    def settings(self) -> str:
        """The same for servers that can stand in for each other."""
        return json.dumps([self.spark_conf, self.private_hadoop_conf, self.environment, self.heap], sort_keys=True)

    @property
    def libraries(self) -> Path:
        return self.folder / "libraries"

    @property
    def conf(self) -> Path:
        return self.folder / "conf"

    @property
    def log(self) -> Path:
        return self.folder / SERVER_LOG


def write_configuration(home: Home, spec: ServerSpec, port: int, ui_port: int) -> None:
    """Writes the files that `java` and Spark read; those with secrets only their owner can read."""
    for folder in (spec.libraries, spec.conf, spec.folder / "scratch"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(spec.conf / "core-site.xml", _core_site(hadoop_conf(home) | spec.private_hadoop_conf))
    (spec.conf / "log4j2.properties").write_text(_LOG4J)
    own = {
        "spark.app.name": spec.cluster_id,
        "spark.connect.grpc.binding.port": str(port),
        "spark.ui.port": str(ui_port),
        "spark.org.apache.spark.ui.JWSFilter.param.secretKey": home.secret(UI_KEY),
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


def server_environment(home: Home, spec: ServerSpec) -> dict[str, str]:
    """What the server's process has in its environment; it holds the token."""
    return {
        **clean_environment(home, spec.cluster_id),
        **spec.environment,
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": home.secret("connect-token"),
        "HADOOP_CONF_DIR": str(spec.conf),
        # Spark's pages listen on all addresses otherwise.
        "SPARK_LOCAL_IP": HOST,
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
