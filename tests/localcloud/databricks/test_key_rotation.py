"""What a changed storage key means for clusters: the warm ones restart, and new ones take it."""

import pytest
from databricks.sdk.service.compute import ClusterSpec, State

from include.vault_secrets import VaultSecret, restart_if_older, store
from tests.localcloud.databricks.server import KEY_SETTING, Server, results
from tests.localcloud.waiting import wait_until

KEY = "adls-account-key"
REFERENCE = {KEY_SETTING: "{{secrets/bookstore/adls-account-key}}"}


def core_site(server: Server, cluster_id: str) -> str:
    return (server.home.workspace / "clusters" / cluster_id / "conf" / "core-site.xml").read_text()


def is_running(server: Server, cluster_id: str) -> bool:
    return server.client.clusters.get(cluster_id).state is State.RUNNING


@pytest.fixture
def warm(light: Server) -> str:
    """An all-purpose cluster that started with the key of before."""
    store(light.client, VaultSecret(KEY, "v1", "key-of-before"))
    created = light.client.clusters.create(spark_version="17.3.x-scala2.13", num_workers=0, spark_conf=REFERENCE)
    cluster_id: str = created.bind()["cluster_id"]
    wait_until(lambda: is_running(light, cluster_id), limit=120)
    return cluster_id


def test_a_warm_cluster_takes_the_new_key_with_nobody_touching_it(light: Server, warm: str) -> None:
    assert "key-of-before" in core_site(light, warm)
    assert restart_if_older(light.client, warm) is False
    assert store(light.client, VaultSecret(KEY, "v2", "key-of-today")) is True
    assert restart_if_older(light.client, warm) is True
    wait_until(lambda: is_running(light, warm), limit=120)
    assert "key-of-today" in core_site(light, warm)
    assert "key-of-before" not in core_site(light, warm)
    assert restart_if_older(light.client, warm) is False
    light.client.clusters.permanent_delete(warm)


def test_the_next_run_on_a_job_cluster_has_the_new_key(light: Server) -> None:
    cluster = ClusterSpec(spark_version="17.3.x-scala2.13", num_workers=0, spark_conf=REFERENCE)
    used = []
    for version in ("j1", "j2"):
        store(light.client, VaultSecret(KEY, version, f"key-{version}"))
        run = light.run(light.script("only", "print(1)", new_cluster=cluster))
        assert results(run) == {"only": "SUCCESS"}
        instance = (run.tasks or [])[0].cluster_instance
        assert instance is not None
        used.append(instance.cluster_id or "")
    assert [f"key-j{number}" in core_site(light, used[number - 1]) for number in (1, 2)] == [True, True]
    assert used[0] != used[1]
