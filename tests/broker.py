"""A Kafka broker for tests."""

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from localcloud import certificates
from localcloud.home import Home, write_private
from localcloud.ports import HOST, find_free
from localcloud.services import kafka
from localcloud.waiting import wait_until

Message = tuple[bytes | None, bytes | None]
_SECONDS = 30

# A second listener, as Event Hubs has one: TLS, and a name and a password.
_SIGN_IN = """
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port},SASL_SSL://{host}:{secured_port}
advertised.listeners=PLAINTEXT://{host}:{port},SASL_SSL://{host}:{secured_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
    user_{username}="{password}";
"""


@dataclass(frozen=True)
class Broker:
    """A running broker."""

    bootstrap_servers: str

    def produce(self, topic: str, messages: Iterable[Message], partition: int = 0) -> None:
        """Sends keys and values in order, and returns when the broker has all of them."""
        producer = Producer({"bootstrap.servers": self.bootstrap_servers, "queue.buffering.max.messages": 1_000_000})
        for key, value in messages:
            producer.produce(topic, value, key, partition)
        assert producer.flush(_SECONDS) == 0

    def empty(self) -> None:
        """Makes the bookstore's topics anew, with one partition each."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers})
        present = [topic for topic in kafka.TOPICS if topic in admin.list_topics(timeout=_SECONDS).topics]
        for deleted in admin.delete_topics(present).values() if present else ():
            deleted.result(_SECONDS)
        for created in admin.create_topics([NewTopic(topic, 1, 1) for topic in kafka.TOPICS]).values():
            created.result(_SECONDS)


@dataclass(frozen=True)
class SecuredBroker:
    """A running broker that also listens where one has to sign in.

    Attributes:
        open: The broker, for those on the inside.
        bootstrap_servers: Where one has to sign in.
        ca_file: The authority that vouches for it.
    """

    open: Broker
    bootstrap_servers: str
    ca_file: Path


@contextmanager
def running_secured_broker(root: Path, username: str, password: str) -> Iterator[SecuredBroker]:
    """Runs a broker that lets this user in over TLS."""
    home = _prepared(root)
    certificates.create(home)
    keystore = home.tls / "keystore.pem"
    write_private(keystore, (home.tls / "server.key").read_bytes() + (home.tls / "server.pem").read_bytes())
    port = find_free(home.ports().values())
    ports = {"port": home.port("kafka"), "controller_port": home.port("kafka-controller"), "secured_port": port}
    settings = home.data("kafka") / "server.properties"
    with settings.open("a") as file:
        file.write(_SIGN_IN.format(host=HOST, keystore=keystore, username=username, password=password, **ports))
    with _running(home) as broker:
        yield SecuredBroker(broker, f"{HOST}:{port}", home.tls / "ca.pem")


@contextmanager
def running_broker(root: Path) -> Iterator[Broker]:
    """Runs a broker with its data under `root`."""
    with _running(_prepared(root)) as broker:
        yield broker


def _prepared(root: Path) -> Home:
    home = Home(root)
    home.create()
    kafka.prepare(home)
    return home


@contextmanager
def _running(home: Home) -> Iterator[Broker]:
    service = kafka.service(home)
    with (home.root / "kafka.log").open("wb") as log:
        process = subprocess.Popen(service.command, stdout=log, stderr=log)
    try:
        wait_until(service.is_healthy, f"Kafka must answer at {service.address}", _SECONDS)
        yield Broker(kafka.bootstrap_servers(home))
    finally:
        process.terminate()
        process.wait(_SECONDS)
