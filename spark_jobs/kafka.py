"""Kafka's topics as a stream, and how a broker is signed in to."""

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.checkpoints import TopicPartition
from spark_jobs.errors import ArgumentError, JobError

MESSAGES_OF_A_TASK = 20_000
"""At most: a batch of few partitions keeps all cores busy, and a small one is not split."""
PASSWORD_VARIABLE = "KAFKA_PASSWORD"  # noqa: S105 - a variable's name
_SIGNS_IN = "SASL_SSL"
_PROTOCOLS = ("PLAINTEXT", "SSL", _SIGNS_IN)
_LOGIN_MODULES = {
    "PLAIN": "plain.PlainLoginModule",
    "SCRAM-SHA-256": "scram.ScramLoginModule",
    "SCRAM-SHA-512": "scram.ScramLoginModule",
}


@dataclass(frozen=True)
class Kafka:
    """A Kafka cluster and how to reach it.

    Attributes:
        bootstrap_servers: As `host:port`, several with commas between.
        security_protocol: `PLAINTEXT`, `SSL` or `SASL_SSL`.
        sasl_mechanism: `PLAIN` (Event Hubs has this one), `SCRAM-SHA-256` or `SCRAM-SHA-512`.
        username: For `SASL_SSL`; Event Hubs' is `$ConnectionString`, with the connection string as password.
        ca_file: PEM file with the authorities that vouch for the brokers; empty: those that Java knows.
        password: For `SASL_SSL`; never shown.
    """

    bootstrap_servers: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "PLAIN"
    username: str = ""
    ca_file: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        _require("kafka_security_protocol", self.security_protocol, _PROTOCOLS)
        _require("kafka_sasl_mechanism", self.sasl_mechanism, _LOGIN_MODULES)

    def options(self) -> dict[str, str]:
        """Options of Spark's Kafka source."""
        options = {
            "kafka.bootstrap.servers": self.bootstrap_servers,
            "kafka.security.protocol": self.security_protocol,
            "kafka.isolation.level": "read_committed",
        }
        if self.ca_file:
            options |= {"kafka.ssl.truststore.type": "PEM", "kafka.ssl.truststore.location": self.ca_file}
        if self.security_protocol == _SIGNS_IN:
            options |= {"kafka.sasl.mechanism": self.sasl_mechanism, "kafka.sasl.jaas.config": self._login()}
        return options

    def _login(self) -> str:
        # Databricks' runtime has Kafka's client under another name.
        shaded = "kafkashaded." if "DATABRICKS_RUNTIME_VERSION" in os.environ else ""
        module = _LOGIN_MODULES[self.sasl_mechanism]
        credentials = f"username={_quoted(self.username)} password={_quoted(self.password)}"
        return f"{shaded}org.apache.kafka.common.security.{module} required {credentials};"


def password_for(security_protocol: str) -> str:
    """Kafka's password, from the environment: a cluster has it there by reference to a secret.

    Raises:
        JobError: There is none, and the protocol needs one.
    """
    password = os.environ.get(PASSWORD_VARIABLE, "")
    if security_protocol == _SIGNS_IN and not password:
        raise JobError(
            f"{PASSWORD_VARIABLE} is required in the cluster's environment to sign in to Kafka and is not set: give "
            f"the cluster the variable {PASSWORD_VARIABLE}={{{{secrets/bookstore/kafka-password}}}}"
        )
    return password


def stream_topic(
    spark: SparkSession,
    kafka: Kafka,
    topic: str,
    max_offsets_per_trigger: int,
    *,
    begin: Mapping[TopicPartition, int],
    fail_on_data_loss: bool = True,
) -> DataFrame:
    """The topic's committed messages as a stream, with the columns of `ARRIVAL`.

    Args:
        spark: The session.
        kafka: Where they are.
        topic: Its name.
        max_offsets_per_trigger: Messages of a batch, at most.
        begin: Where a new checkpoint begins, every partition of the topic; without any, at the first message.
        fail_on_data_loss: Whether the stream ends where Kafka deleted messages before they were read.
    """
    positions = {place: offset for place, offset in begin.items() if place[0] == topic}
    options = kafka.options() | {
        "subscribe": topic,
        "startingOffsets": offsets_json(positions) if positions else "earliest",
        "maxOffsetsPerTrigger": str(max_offsets_per_trigger),
        "maxRecordsPerPartition": str(MESSAGES_OF_A_TASK),
        "failOnDataLoss": str(fail_on_data_loss).lower(),
    }
    return as_arrived(spark.readStream.format("kafka").options(**options).load())


def as_arrived(messages: DataFrame) -> DataFrame:
    """Of the columns of Spark's Kafka source those that are kept, and the time."""
    return messages.select(
        "topic",
        "partition",
        "offset",
        F.col("timestamp").alias("kafka_timestamp"),
        "key",
        "value",
        F.current_timestamp().alias("ingested_at"),
    )


def offsets_json(positions: Mapping[TopicPartition, int]) -> str:
    """Positions as Spark's Kafka source takes them."""
    topics: dict[str, dict[str, int]] = {}
    for (topic, partition), offset in positions.items():
        topics.setdefault(topic, {})[str(partition)] = offset
    return json.dumps(topics)


def _require(argument: str, found: str, known: Collection[str]) -> None:
    if found not in known:
        raise ArgumentError(f"--{argument} must be one of {', '.join(known)}, found {found!r}")


def _quoted(text: str) -> str:
    """A value in Java's login configuration."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
