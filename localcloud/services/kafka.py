"""One Kafka broker that is its own controller."""

import base64
import logging
import subprocess
from functools import partial
from pathlib import Path
from uuid import uuid4

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from localcloud import programs
from localcloud.errors import LocalCloudError
from localcloud.home import Home, write_private
from localcloud.ports import HOST
from localcloud.services.service import Service

TOPICS = ("bookstore.customers", "bookstore.books", "bookstore.orders")
PARTITIONS = 3

_TIMEOUT_SECONDS = 10
_SILENT = logging.getLogger("localcloud.kafka")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
log.dirs={logs}

# A topic is made on purpose: a name that was mistyped is an error and not a new topic.
auto.create.topics.enable=false
num.partitions={partitions}

# Nothing is forgotten: what was produced a year ago can be ingested today.
log.retention.ms=-1

# There is one broker to keep everything.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""

_LOGGING = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %m (%c)%n%throwable
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=info
"""


def service(home: Home) -> Service:
    return Service(
        name="kafka",
        command=(*_java(home), "-Xmx384m", "kafka.Kafka", str(_settings(home))),
        address=bootstrap_servers(home),
        is_healthy=partial(_is_healthy, home),
        initialise=partial(_create_topics, home),
    )


def bootstrap_servers(home: Home) -> str:
    return f"{HOST}:{home.port('kafka')}"


def _java(home: Home) -> tuple[str, ...]:
    logging_settings = home.data("kafka") / "log4j2.properties"
    classpath = str(programs.jars("kafka") / "*")
    return programs.java(), "-cp", classpath, f"-Dlog4j2.configurationFile={logging_settings}"


def _settings(home: Home) -> Path:
    return home.data("kafka") / "server.properties"


def prepare(home: Home) -> None:
    """Writes the settings, since ports may have changed, and formats the log folder, once."""
    folder = home.data("kafka")
    logs = folder / "logs"
    ports = {"port": home.port("kafka"), "controller_port": home.port("kafka-controller")}
    write_private(_settings(home), _PROPERTIES.format(host=HOST, logs=logs, partitions=PARTITIONS, **ports))
    write_private(folder / "log4j2.properties", _LOGGING)
    if not (logs / "meta.properties").exists():
        _format(home)


def _format(home: Home) -> None:
    cluster_id = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
    arguments = ("format", "--config", str(_settings(home)), f"--cluster-id={cluster_id}")
    done = subprocess.run(
        [*_java(home), "kafka.tools.StorageTool", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LocalCloudError(f"Kafka's folder {home.data('kafka')} can't be formatted: {done.stderr or done.stdout}")


def _admin(home: Home) -> AdminClient:
    # While the broker starts, librdkafka reports every refused connection; the health check says it once.
    return AdminClient({"bootstrap.servers": bootstrap_servers(home)}, logger=_SILENT)


def _is_healthy(home: Home) -> bool:
    try:
        return bool(_admin(home).list_topics(timeout=_TIMEOUT_SECONDS).brokers)
    except KafkaException:
        return False


def _create_topics(home: Home) -> None:
    topics = [NewTopic(topic, num_partitions=PARTITIONS, replication_factor=1) for topic in TOPICS]
    admin = _admin(home)  # what it promises ends with it
    for created in admin.create_topics(topics, request_timeout=_TIMEOUT_SECONDS).values():
        error = created.exception()
        if error and error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise error
