"""Clusters and their libraries."""

from pydantic import ConfigDict, Field, model_validator

from localcloud.databricks.payloads.base import Payload, Texts

_UNSUPPORTED = {"init_scripts", "docker_image"}


class Library(Payload):
    model_config = ConfigDict(extra="forbid")

    whl: str


class ClusterSpec(Payload):
    spark_version: str
    cluster_name: str = ""
    spark_conf: Texts = Field(default_factory=dict)
    spark_env_vars: Texts = Field(default_factory=dict)

    @model_validator(mode="after")
    def _possible(self) -> "ClusterSpec":
        self.refuse(_UNSUPPORTED, "install libraries instead")
        return self


class JobCluster(Payload):
    job_cluster_key: str
    new_cluster: ClusterSpec
