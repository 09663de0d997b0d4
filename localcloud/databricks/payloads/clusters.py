"""Clusters and their libraries."""

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from localcloud.databricks.payloads.base import Payload, Texts

_UNSUPPORTED = {"init_scripts", "docker_image"}


_IDLE_MINUTES = range(10, 10_001)


def _never_or_in_a_while(minutes: int) -> int:
    if minutes != 0 and minutes not in _IDLE_MINUTES:
        raise ValueError(f"autotermination_minutes must be 0 or from 10 to 10000, found {minutes}")
    return minutes


class PyPi(Payload):
    model_config = ConfigDict(extra="forbid")

    package: str = Field(min_length=1)
    repo: str | None = None


class Library(Payload):
    model_config = ConfigDict(extra="forbid")

    whl: str | None = None
    pypi: PyPi | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Library":
        if (self.whl is None) == (self.pypi is None):
            raise ValueError("a library must be one of whl and pypi")
        return self

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


class ClusterSpec(Payload):
    spark_version: str
    cluster_name: str = ""
    autotermination_minutes: Annotated[int, AfterValidator(_never_or_in_a_while)] = 0
    spark_conf: Texts = Field(default_factory=dict)
    spark_env_vars: Texts = Field(default_factory=dict)

    @model_validator(mode="after")
    def _possible(self) -> "ClusterSpec":
        self.refuse(_UNSUPPORTED, "install libraries instead")
        return self


class JobCluster(Payload):
    job_cluster_key: str
    new_cluster: ClusterSpec
