"""How a job reaches Kafka: its arguments, and the secret that it needs."""

from include.runs import KAFKA_PASSWORD, Parameter
from include.settings import Settings


def kafka_parameters(settings: Settings) -> dict[str, Parameter]:
    """The arguments of a job that reads Kafka; those of security only where there is any."""
    parameters: dict[str, Parameter] = {"kafka_bootstrap_servers": settings.kafka_bootstrap_servers}
    if settings.kafka_security_protocol == "PLAINTEXT":
        return parameters
    parameters |= {
        "kafka_security_protocol": settings.kafka_security_protocol,
        "kafka_ca_file": settings.kafka_ca_file,
    }
    if not settings.kafka_needs_password:
        return parameters
    return parameters | {
        "kafka_sasl_mechanism": settings.kafka_sasl_mechanism,
        "kafka_username": settings.kafka_username,
    }


def kafka_secrets(settings: Settings) -> dict[str, str]:
    """The environment variable that holds Kafka's password, and its secret's name; none where there is no password."""
    return {"KAFKA_PASSWORD": KAFKA_PASSWORD} if settings.kafka_needs_password else {}
