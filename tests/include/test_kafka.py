import pytest

from include.kafka import kafka_parameters, kafka_secrets
from include.settings import Settings


@pytest.fixture(autouse=True)
def _servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "hub:9093")


def test_without_security_there_are_servers_and_no_secret() -> None:
    assert kafka_parameters(Settings.load()) == {"kafka_bootstrap_servers": "hub:9093"}
    assert kafka_secrets(Settings.load()) == {}


def test_tls_alone_needs_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SSL")
    monkeypatch.setenv("KAFKA_CA_FILE", "/Volumes/main/ops/files/ca.pem")
    assert kafka_parameters(Settings.load()) == {
        "kafka_bootstrap_servers": "hub:9093",
        "kafka_security_protocol": "SSL",
        "kafka_ca_file": "/Volumes/main/ops/files/ca.pem",
    }
    assert kafka_secrets(Settings.load()) == {}


def test_event_hubs_takes_its_connection_string_as_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    assert kafka_parameters(Settings.load()) == {
        "kafka_bootstrap_servers": "hub:9093",
        "kafka_security_protocol": "SASL_SSL",
        "kafka_ca_file": "",
        "kafka_sasl_mechanism": "PLAIN",
        "kafka_username": "$ConnectionString",
    }
    assert kafka_secrets(Settings.load()) == {"KAFKA_PASSWORD": "kafka-password"}
