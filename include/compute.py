"""What a step can run on, and what each kind of compute can do."""

from dataclasses import dataclass
from enum import StrEnum

from include.errors import ConfigurationError


class Compute(StrEnum):
    """Kinds of Databricks compute; the values are those of `BOOKSTORE_COMPUTE` and of a run's `compute`."""

    DAG_CLUSTER = "dag_cluster"
    JOB_CLUSTER = "job_cluster"
    EXISTING_CLUSTER = "existing_cluster"
    INSTANCE_POOL = "instance_pool"
    SERVERLESS = "serverless"


@dataclass(frozen=True)
class Capabilities:
    """What a kind of compute can do.

    Attributes:
        account_key: Reaches the lake with the storage account's key; without, by Unity Catalog's external location.
        spark_conf: Takes Spark settings with the run; an existing cluster has those it was created with.
        real_time: Runs a stream that keeps running; without, a stream ends when it has read what is there.
        environment: Has environment variables, and so can give a job a secret.
    """

    account_key: bool
    spark_conf: bool
    real_time: bool
    environment: bool


CAPABILITIES = {
    Compute.DAG_CLUSTER: Capabilities(account_key=True, spark_conf=True, real_time=True, environment=True),
    Compute.JOB_CLUSTER: Capabilities(account_key=True, spark_conf=True, real_time=True, environment=True),
    Compute.EXISTING_CLUSTER: Capabilities(account_key=True, spark_conf=False, real_time=True, environment=True),
    Compute.INSTANCE_POOL: Capabilities(account_key=True, spark_conf=True, real_time=True, environment=True),
    Compute.SERVERLESS: Capabilities(account_key=False, spark_conf=False, real_time=False, environment=False),
}


def compute_named(name: str) -> Compute:
    """Returns the compute of that name.

    Raises:
        ConfigurationError: There is none.
    """
    try:
        return Compute(name)
    except ValueError:
        raise ConfigurationError(f"compute must be one of {', '.join(Compute)}, found {name!r}") from None


def check_real_time(compute: Compute) -> None:
    """Refuses a real-time run where the compute ends every stream.

    Raises:
        ConfigurationError: The compute has no real-time mode.
    """
    if not CAPABILITIES[compute].real_time:
        able = ", ".join(kind for kind, can in CAPABILITIES.items() if can.real_time)
        raise ConfigurationError(f"realtime needs compute that keeps a stream running ({able}), found {compute}")


def check_secrets(compute: Compute) -> None:
    """Refuses a step that needs a secret where the compute can't hand it one.

    Raises:
        ConfigurationError: The compute has no environment variables.
    """
    if not CAPABILITIES[compute].environment:
        able = ", ".join(kind for kind, can in CAPABILITIES.items() if can.environment)
        raise ConfigurationError(
            f"a step that needs a secret (Kafka's password, the lineage catalogue's key) runs on compute with "
            f"environment variables ({able}), found {compute}"
        )
