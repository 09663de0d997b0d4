"""Which job clusters share a server."""

from pathlib import Path

import pytest

from localcloud.databricks.engine.resolving import Resolver
from localcloud.databricks.files import FileTree
from localcloud.databricks.payloads.clusters import ClusterSpec
from localcloud.databricks.secret_scopes import SecretScopes
from localcloud.databricks.state import Cluster

KEY = "spark.hadoop.fs.azure.account.key.a.dfs.core.windows.net"
SPEC = {"spark_version": "17.3.x-scala2.13", "spark_conf": {KEY: "{{secrets/s/k}}", "spark.x": "1"}}
WHEEL = {"whl": "/Workspace/Shared/steps-1.0-py3-none-any.whl"}


@pytest.fixture
def resolver(tmp_path: Path) -> Resolver:
    resolver = Resolver(tmp_path / "clusters", SecretScopes(tmp_path / "scopes"), FileTree(tmp_path / "files"), "1g")
    resolver.secrets.create_scope("s")
    resolver.secrets.put("s", "k", "first")
    wheel(resolver).parent.mkdir(parents=True)
    wheel(resolver).write_bytes(b"content")
    return resolver


def wheel(resolver: Resolver) -> Path:
    return resolver.files.locate(WHEEL["whl"])


def identity(resolver: Resolver, **changes: object) -> str:
    return resolver.job_cluster_id(ClusterSpec.model_validate(SPEC | changes), [WHEEL])


def test_names_and_sizes_do_not_matter(resolver: Resolver) -> None:
    assert identity(resolver) == identity(resolver, node_type_id="other", num_workers=3, custom_tags={"a": "b"})


def test_settings_matter(resolver: Resolver) -> None:
    assert identity(resolver) != identity(resolver, spark_env_vars={"A": "1"})


def test_a_changed_secret_matters(resolver: Resolver) -> None:
    before = identity(resolver)
    resolver.secrets.put("s", "k", "second")
    assert identity(resolver) != before


def test_a_wheel_with_other_content_matters(resolver: Resolver) -> None:
    before = identity(resolver)
    wheel(resolver).write_bytes(b"other content")
    assert identity(resolver) != before


def test_hadoop_settings_from_secrets_are_kept_from_tasks(resolver: Resolver) -> None:
    spec = resolver.server_spec(Cluster(cluster_id="c", spec=SPEC))
    assert spec.private_hadoop_conf == {KEY.removeprefix("spark.hadoop."): "first"}
    assert spec.spark_conf == {"spark.x": "1"}
