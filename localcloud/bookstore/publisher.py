"""Sends messages to Kafka, in order, and loses none silently."""

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from localcloud.bookstore.stream import Message
from localcloud.errors import LocalCloudError

ANSWER_SECONDS = 10
DELIVERY_SECONDS = 60
SETTINGS = {
    "acks": "all",
    "enable.idempotence": True,
    # Java's partitioner, which Debezium uses too; unlike librdkafka's own, it sends every null key to one partition, so
    # that the same events always give the same partitions.
    "partitioner": "murmur2",
    "linger.ms": 50,
    "batch.size": 1 << 20,
    "compression.type": "lz4",
    "queue.buffering.max.messages": 200_000,
    "delivery.timeout.ms": DELIVERY_SECONDS * 1000,
    "delivery.report.only.error": True,
}


class DeliveryError(LocalCloudError):
    """Raised when Kafka is out of reach, lacks a topic, or did not take a message."""


class Publisher:
    """An idempotent producer. Leaving its context waits until everything has arrived, or raises what did not."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._errors: list[KafkaError] = []
        settings = {**SETTINGS, "bootstrap.servers": bootstrap_servers, "on_delivery": self._remember}
        # A broker that is away is reported by the error that we raise, once, and not by librdkafka's retries.
        self._producer = Producer({**settings, "log_level": 0})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.flush()
        else:
            self._producer.purge()

    def require(self, topics: Iterable[str]) -> None:
        """Raises DeliveryError where the broker doesn't answer or a topic isn't there."""
        try:
            known = self._producer.list_topics(timeout=ANSWER_SECONDS).topics
        except KafkaException as error:
            raise DeliveryError(
                f"a Kafka broker is required at {self._servers}, and none answered in {ANSWER_SECONDS} s "
                f"({_reason(error)}): start the local cloud with `make up`, or name another with --bootstrap-servers"
            ) from None
        missing = sorted(set(topics) - set(known))
        if missing:
            raise DeliveryError(
                f"Kafka at {self._servers} has no topic {', '.join(missing)}: create it, or run `make up`"
            )

    def send(self, topic: str, messages: Iterable[Message]) -> None:
        produce = self._producer.produce
        for key, value in messages:
            try:
                produce(topic, value, key)
            except BufferError:
                self._make_room()
                produce(topic, value, key)
        self._producer.poll(0)
        self._check()

    def flush(self) -> None:
        """Waits for every message; raises DeliveryError where one has not arrived."""
        left = self._producer.flush(DELIVERY_SECONDS + ANSWER_SECONDS)
        self._check()
        if left:
            raise DeliveryError(
                f"Kafka at {self._servers} did not confirm {left} messages: see its log, and produce again"
            )

    def _make_room(self) -> None:
        """Waits until half of what is queued has been sent."""
        queued = len(self._producer)
        while len(self._producer) > queued // 2:
            self._producer.poll(0.01)
            self._check()

    def _remember(self, error: KafkaError | None, _message: Delivered) -> None:
        if error is not None:
            self._errors.append(error)

    def _check(self) -> None:
        if self._errors:
            raise DeliveryError(
                f"Kafka at {self._servers} did not take {len(self._errors)} messages, first because: "
                f"{self._errors[0].str()}; see its log, and produce again"
            )


def _reason(error: KafkaException) -> str:
    return str(error.args[0].str())
