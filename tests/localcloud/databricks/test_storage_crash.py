"""A storage that starts again after a crash ends the clusters first, which remember what it has forgotten."""

import pytest
from databricks.sdk.service.compute import ClusterDetails, State

from localcloud.home import Home
from localcloud.services import azurite
from tests.localcloud.databricks.server import Server
from tests.localcloud.waiting import wait_until


@pytest.fixture
def cluster_id(light: Server) -> str:
    """A running cluster."""
    created: str = light.client.clusters.create(spark_version="17.3.x-scala2.13", num_workers=0).bind()["cluster_id"]
    light.client.clusters.start(created)
    wait_until(lambda: cluster(light, created).state == State.RUNNING, limit=60)
    return created


def cluster(server: Server, cluster_id: str) -> ClusterDetails:
    return server.client.clusters.get(cluster_id)


def test_a_crash_ends_the_clusters_and_says_why(light: Server, cluster_id: str) -> None:
    azurite.service(light.home).before_start()
    found = cluster(light, cluster_id)
    assert found.state == State.TERMINATED
    assert found.state_message == (
        "The storage crashed, and the lake may be back at a moment some seconds earlier: run again what was running"
    )


def test_a_restart_that_somebody_asked_for_leaves_them_running_once(light: Server, cluster_id: str) -> None:
    azurite.expect_restart(light.home)
    azurite.service(light.home).before_start()
    assert cluster(light, cluster_id).state == State.RUNNING
    azurite.service(light.home).before_start()
    assert cluster(light, cluster_id).state == State.TERMINATED


def test_a_storage_without_a_workspace_starts(home: Home) -> None:
    azurite.service(home).before_start()
