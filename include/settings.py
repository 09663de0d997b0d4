"""The one reader of configuration: environment variables, and the file that `BOOKSTORE_SETTINGS_FILE` names."""

import json
import os
import re
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from include.compute import Compute, compute_named
from include.errors import ConfigurationError

_LAKE_ROOT = re.compile(r"abfss://(?P<container>[^@/]+)@(?P<host>[^@/]+\.dfs\.[^@/]+)/.*[^/]")

# What each compute can't do without: the setting, and what it is.
_REQUIRED_BY_COMPUTE = {
    Compute.DAG_CLUSTER: ("node_type", "the virtual machine of the DAG run's cluster, e.g. Standard_DS3_v2"),
    Compute.JOB_CLUSTER: ("node_type", "the virtual machine of the job's cluster, e.g. Standard_DS3_v2"),
    Compute.EXISTING_CLUSTER: ("cluster_id", "the id of the cluster to run on"),
    Compute.INSTANCE_POOL: ("instance_pool_id", "the id of the pool to take machines from"),
    Compute.SERVERLESS: ("catalog", "the Unity Catalog catalog whose external location holds the lake"),
}


def _lake_root(uri: str) -> str:
    if uri and not _LAKE_ROOT.fullmatch(uri):
        raise ValueError(f"must be abfss://<container>@<account>.dfs.core.windows.net/<folder>, found {uri!r}")
    return uri


def _vault_url(url: str) -> str:
    if url and not url.startswith("https://"):
        raise ValueError(f"must be the vault's https:// address, found {url!r}")
    return url


def _lineage_url(url: str) -> str:
    address = urlsplit(url)
    if url and (address.scheme not in ("http", "https") or "@" in address.netloc or address.query):
        raise ValueError("must be the catalogue's http:// or https:// address, with no user, password or query in it")
    return url


def _wheel(path: str) -> str:
    if path and not (path.startswith(("/Workspace/", "/Volumes/")) and path.endswith(".whl")):
        raise ValueError(
            f"must be a .whl under /Workspace/ or /Volumes/, found {path!r}: use `python -m include.deploy`"
        )
    return path


def _rfm_scheme(text: str) -> str:
    # What the scheme says is checked by the job; here, that it can be handed over: Airflow takes these for templates.
    if text and (not _is_json_object(text) or any(mark in text for mark in ("{{", "{%", "{#"))):
        raise ValueError(
            f"must be a JSON object, as docs/segmentation.md has it, without {{{{, {{% and {{#; found {text!r}"
        )
    return text


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except json.JSONDecodeError:
        return False


class Settings(BaseSettings):
    """Everything that differs between a laptop and Azure; an environment variable wins over the file."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_file_encoding="utf-8")

    lake_root: Annotated[str, AfterValidator(_lake_root)] = Field("", validation_alias="LAKE_ROOT")
    kafka_bootstrap_servers: str = Field("", validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = Field(
        "PLAINTEXT", validation_alias="KAFKA_SECURITY_PROTOCOL"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", validation_alias="KAFKA_SASL_MECHANISM"
    )
    kafka_username: str = Field("$ConnectionString", validation_alias="KAFKA_USERNAME")
    kafka_ca_file: str = Field("", validation_alias="KAFKA_CA_FILE")
    key_vault_url: Annotated[str, AfterValidator(_vault_url)] = Field("", validation_alias="AZURE_KEY_VAULT_URL")
    catalog: str = Field("", validation_alias="BOOKSTORE_CATALOG")
    compute: Compute = Field(Compute.DAG_CLUSTER, validation_alias="BOOKSTORE_COMPUTE")
    cluster_id: str = Field("", validation_alias="BOOKSTORE_CLUSTER_ID")
    instance_pool_id: str = Field("", validation_alias="BOOKSTORE_INSTANCE_POOL_ID")
    spark_version: str = Field("17.3.x-scala2.13", validation_alias="BOOKSTORE_SPARK_VERSION")
    node_type: str = Field("Standard_DS3_v2", validation_alias="BOOKSTORE_NODE_TYPE")
    wheel: Annotated[str, AfterValidator(_wheel)] = Field("", validation_alias="BOOKSTORE_WHEEL")
    realtime: bool = Field(False, validation_alias="BOOKSTORE_REALTIME")
    lost_messages: Literal["stop", "record"] = Field("stop", validation_alias="BOOKSTORE_LOST_MESSAGES")
    max_bronze_age_minutes: int = Field(0, ge=0, validation_alias="BOOKSTORE_MAX_BRONZE_AGE_MINUTES")
    alert_webhook: str = Field("", validation_alias="BOOKSTORE_ALERT_WEBHOOK")
    alert_mail: str = Field("", validation_alias="BOOKSTORE_ALERT_MAIL")
    max_quarantined_percent: int = Field(10, ge=0, validation_alias="BOOKSTORE_MAX_QUARANTINED_PERCENT")
    # The first two are OpenLineage's own names, under which Airflow's provider reads them as well.
    lineage_url: Annotated[str, AfterValidator(_lineage_url)] = Field("", validation_alias="OPENLINEAGE_URL")
    lineage_endpoint: str = Field("api/v1/lineage", validation_alias="OPENLINEAGE_ENDPOINT")
    lineage_secret: str = Field("", validation_alias="OPENLINEAGE_API_KEY_SECRET")
    rfm_scheme: Annotated[str, AfterValidator(_rfm_scheme)] = Field("", validation_alias="BOOKSTORE_RFM_SCHEME")
    poll_seconds: int = Field(15, ge=1, validation_alias="BOOKSTORE_POLL_SECONDS")

    @classmethod
    def load(cls) -> Self:
        """Reads the configuration as it is now.

        Raises:
            ConfigurationError: A value has the wrong form, or the compute lacks what it needs.
        """
        try:
            # pydantic-settings takes the file here; the type checker sees only the fields.
            settings = cls(_env_file=os.environ.get("BOOKSTORE_SETTINGS_FILE"))  # type: ignore[call-arg]
        except ValidationError as error:
            raise ConfigurationError("; ".join(map(_sentence, error.errors()))) from None
        settings.check_compute(settings.compute)
        return settings

    def chosen_compute(self, name: str) -> Compute:
        """The compute of that name; where there is no name, the one that is configured.

        Raises:
            ConfigurationError: There is none of that name, or it lacks a setting.
        """
        compute = compute_named(name) if name else self.compute
        self.check_compute(compute)
        return compute

    def check_compute(self, compute: Compute) -> None:
        """Refuses a compute that this configuration can't start.

        Raises:
            ConfigurationError: What the compute needs is not set.
        """
        name, meaning = _REQUIRED_BY_COMPUTE[compute]
        if not getattr(self, name):
            raise ConfigurationError(f"compute {compute} requires {_variable(name)}, {meaning}: it is not set")

    def required(self, name: str) -> str:
        """The setting's value.

        Raises:
            ConfigurationError: It is empty.
        """
        value: str = getattr(self, name)
        if not value:
            hint = "run `python -m include.deploy` and set what it prints" if name == "wheel" else "set it"
            raise ConfigurationError(f"{_variable(name)} is required and is not set: {hint}")
        return value

    @property
    def kafka_needs_password(self) -> bool:
        return self.kafka_security_protocol == "SASL_SSL"

    @property
    def storage_host(self) -> str:
        """Host of the lake's storage account, e.g. `bookstorelake.dfs.core.windows.net`."""
        match = _LAKE_ROOT.fullmatch(self.required("lake_root"))
        assert match is not None  # noqa: S101 - a lake root that doesn't match is refused at construction
        return match["host"]

    @property
    def wheel_version(self) -> str:
        """Version and hash of the wheel that runs, e.g. `0.1.0-4f3a9c2b7d10`; `not-deployed` where there is none."""
        return PurePosixPath(self.wheel).parent.name if self.wheel else "not-deployed"


def _variable(name: str) -> str:
    return str(Settings.model_fields[name].validation_alias)


def _sentence(error: object) -> str:
    assert isinstance(error, dict)  # noqa: S101 - pydantic's own shape
    cause = error.get("ctx", {}).get("error") or f"{error['msg']}, found {error['input']!r}"
    return f"{error['loc'][0]} {cause}"
