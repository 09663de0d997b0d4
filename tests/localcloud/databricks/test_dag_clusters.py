"""The cluster of a DAG run: started once whatever happens on the way, and deleted for good."""

import pytest
from databricks.sdk.errors import InternalError
from databricks.sdk.service.compute import ClusterDetails

from include.run_clusters import DagRunKey, delete, start
from include.settings import Settings
from localcloud.home import LAKE_ROOT, STORAGE_ACCOUNT
from tests.localcloud.databricks.server import Server


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("LAKE_ROOT", LAKE_ROOT)
    return Settings.load()


@pytest.fixture(autouse=True)
def storage_key(light: Server) -> None:
    light.put_storage_key()


def key(run: str, lake: str = LAKE_ROOT) -> DagRunKey:
    return DagRunKey("segment_customers", run, lake)


def clusters(server: Server, run: str) -> list[ClusterDetails]:
    return [each for each in server.client.clusters.list() if (each.custom_tags or {}).get("bookstore_run") == run]


def test_it_says_whose_it_is_and_holds_secrets_as_references(light: Server, settings: Settings) -> None:
    cluster_id = start(light.client, settings, key("says"))
    (cluster,) = clusters(light, "says")
    assert cluster.as_dict() | {"state": None, "state_message": None, "start_time": None} == {
        "cluster_id": cluster_id,
        "cluster_name": "segment_customers says",
        "cluster_source": "API",
        "creator_user_name": cluster.creator_user_name,
        "custom_tags": {
            "ResourceClass": "SingleNode",
            "bookstore_dag": "segment_customers",
            "bookstore_run": "says",
            "bookstore_lake": LAKE_ROOT,
        },
        "autotermination_minutes": 10,
        "enable_local_disk_encryption": True,
        "data_security_mode": "SINGLE_USER",
        "node_type_id": "Standard_DS3_v2",
        "num_workers": 0,
        "spark_conf": {
            "spark.databricks.cluster.profile": "singleNode",
            "spark.master": "local[*, 4]",
            f"spark.hadoop.fs.azure.account.key.{STORAGE_ACCOUNT}.dfs.core.windows.net": (
                "{{secrets/bookstore/adls-account-key}}"
            ),
        },
        "spark_version": "17.3.x-scala2.13",
        "state": None,
        "state_message": None,
        "start_time": None,
    }
    assert delete(light.client, key("says")) == [cluster_id]


def test_who_starts_it_again_gets_the_same_one(light: Server, settings: Settings) -> None:
    assert start(light.client, settings, key("again")) == start(light.client, settings, key("again"))
    assert len(clusters(light, "again")) == 1
    delete(light.client, key("again"))


@pytest.mark.parametrize("status", [500, 503])
def test_a_lost_answer_leaves_no_second_cluster(light: Server, settings: Settings, status: int) -> None:
    """The client tries again after a 503 by itself; after a 500 the task does."""
    run = f"lost-{status}"
    with light.http() as http:
        http.post("/api/localcloud/faults", json={"route": "clusters/create", "status": status, "works": True})
    try:
        started = start(light.client, settings, key(run))
    except InternalError:
        assert len(clusters(light, run)) == 1
        started = start(light.client, settings, key(run))
    assert [cluster.cluster_id for cluster in clusters(light, run)] == [started]
    delete(light.client, key(run))


def test_runs_and_lakes_have_clusters_of_their_own(light: Server, settings: Settings) -> None:
    keys = [key("one"), key("two"), key("one", lake="abfss://other@devstoreaccount1.dfs.core.windows.net/lake")]
    started = [start(light.client, settings, each) for each in keys]
    assert len(set(started)) == 3
    for own, cluster_id in zip(keys, started, strict=True):
        assert delete(light.client, own) == [cluster_id]


def test_deleting_it_twice_is_no_error(light: Server, settings: Settings) -> None:
    start(light.client, settings, key("twice"))
    assert len(delete(light.client, key("twice"))) == 1
    assert delete(light.client, key("twice")) == []
