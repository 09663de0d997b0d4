"""Signing in to a real broker over TLS, and who gets to see the password."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs import kafka
from spark_jobs.errors import ArgumentError, JobError
from spark_jobs.jobs import ingest_events
from spark_jobs.kafka import Kafka, password_for, stream_topic
from spark_jobs.lake import Lake
from spark_jobs.streams import drain
from tests.broker import SecuredBroker, running_secured_broker
from tests.spark_jobs.messages import change, encode

USERNAME = "$ConnectionString"
PASSWORD = 'Endpoint=sb://bookstore/;SharedAccessKey=a\\b"c='


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    written = PASSWORD.replace("\\", "\\\\\\\\").replace(
        '"', '\\\\"'
    )  # once for the login's syntax, once for the file's
    with running_secured_broker(tmp_path_factory.mktemp("kafka"), USERNAME, written) as broker:
        yield broker


def ingest(spark: SparkSession, lake: Lake, broker: SecuredBroker) -> dict[str, Any]:
    config = ingest_events.Config(
        lake.root,
        broker.bootstrap_servers,
        kafka_security_protocol="SASL_SSL",
        kafka_username=USERNAME,
        kafka_ca_file=str(broker.ca_file),
    )
    return ingest_events.run(spark, config)


def test_who_signs_in_is_served(
    spark: SparkSession, lake: Lake, broker: SecuredBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", PASSWORD)
    broker.open.empty()
    broker.open.produce("bookstore.customers", [(None, encode(change("c", {"customer_id": 1})))])
    assert ingest(spark, lake, broker)["rows"] == 1


@pytest.mark.full
def test_a_wrong_password_is_refused_and_not_repeated_in_the_error(
    spark: SparkSession, lake: Lake, broker: SecuredBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "a wrong password")
    broker.open.empty()
    with pytest.raises(StreamingQueryException, match="Authentication failed") as refused:
        ingest(spark, lake, broker)
    assert "a wrong password" not in str(refused.value)


def test_the_password_is_in_no_plan_and_no_text(spark: SparkSession, broker: SecuredBroker) -> None:
    secured = Kafka(broker.bootstrap_servers, "SASL_SSL", "PLAIN", USERNAME, str(broker.ca_file), "ask nobody")
    messages = stream_topic(spark, secured, "bookstore.orders", 10, begin={})
    plan = messages._jdf.queryExecution()
    assert "kafka" in plan.toString()
    for text in (plan.toString(), str(plan.logical()), plan.logical().toJSON(), repr(secured)):
        assert "ask nobody" not in text


def test_tasks_share_the_messages_of_a_partition(
    spark: SparkSession, broker: SecuredBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "MESSAGES_OF_A_TASK", 10)
    broker.open.empty()
    broker.open.produce("bookstore.books", [(None, b"{}")] * 25)
    messages = stream_topic(spark, Kafka(broker.open.bootstrap_servers), "bookstore.books", 100, begin={})
    taken: list[int] = []

    def take(batch: DataFrame, _: int) -> None:
        taken.extend(row["count"] for row in batch.groupBy(F.spark_partition_id()).count().collect())

    drain(messages, f"{tmp_path}/checkpoint", take)
    assert sorted(taken) == [8, 8, 9]


def test_a_missing_password_says_what_the_cluster_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_PASSWORD", raising=False)
    assert password_for("SSL") == ""
    with pytest.raises(JobError) as refused:
        password_for("SASL_SSL")
    assert str(refused.value) == (
        "KAFKA_PASSWORD is required in the cluster's environment to sign in to Kafka and is not set: give the cluster "
        "the variable KAFKA_PASSWORD={{secrets/bookstore/kafka-password}}"
    )


def test_databricks_has_the_client_under_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka("hub:9093", "SASL_SSL", "SCRAM-SHA-512", "me", password="p")
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    assert kafka.options() == {
        "kafka.isolation.level": "read_committed",
        "kafka.bootstrap.servers": "hub:9093",
        "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": "SCRAM-SHA-512",
        "kafka.sasl.jaas.config": (
            'kafkashaded.org.apache.kafka.common.security.scram.ScramLoginModule required username="me" password="p";'
        ),
    }


@pytest.mark.parametrize(
    ("protocol", "mechanism", "sentence"),
    [
        ("SASL_PLAINTEXT", "PLAIN", "--kafka_security_protocol must be one of PLAINTEXT, SSL, SASL_SSL, found"),
        ("SASL_SSL", "GSSAPI", "--kafka_sasl_mechanism must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, found"),
    ],
)
def test_other_ways_to_sign_in_are_refused(protocol: str, mechanism: str, sentence: str) -> None:
    with pytest.raises(ArgumentError, match=sentence):
        Kafka("hub:9093", protocol, mechanism)
