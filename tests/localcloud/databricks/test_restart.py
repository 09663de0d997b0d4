"""What a workspace that was killed makes good when it starts again; and all-purpose clusters on the way."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from databricks.sdk.errors import ResourceDoesNotExist
from databricks.sdk.service.compute import Library, State

from localcloud.home import Home
from tests.localcloud.databricks.server import KEY, KEY_SETTING, WHEEL, Server, new_server, states, step
from tests.localcloud.waiting import wait_until

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = new_server(Home(tmp_path_factory.mktemp("restart") / "home"))
    server.start()
    server.prepare()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def cluster_id(server: Server) -> str:
    """An all-purpose cluster with the steps' wheel and the key."""
    conf = {KEY_SETTING: "{{secrets/bookstore/adls-account-key}}"}
    created = server.client.clusters.create(spark_version="17.3.x-scala2.13", num_workers=0, spark_conf=conf).bind()
    server.client.libraries.install(created["cluster_id"], [Library(whl=WHEEL)])
    cluster_id: str = created["cluster_id"]
    return cluster_id


def state(server: Server, cluster_id: str) -> State | None:
    return server.client.clusters.get(cluster_id).state


def core_site(server: Server, cluster_id: str) -> str:
    return (server.home.workspace / "clusters" / cluster_id / "conf" / "core-site.xml").read_text()


def test_spark_goes_on_when_the_workspace_is_killed_and_started_again(
    server: Server, cluster_id: str, tmp_path: Path
) -> None:
    """A streaming query that a Python worker of the JVM handles, and which prints there."""
    stream = step("stream_forever", str(tmp_path), new_cluster=None, libraries=None, existing_cluster_id=cluster_id)
    run_id = server.submit(stream)
    wait_until(lambda: committed(tmp_path) > 0, limit=300)
    assert server.process is not None
    (jvm,) = (each for each in psutil.Process(server.process.pid).children() if each.name() == "java")

    server.kill()
    server.start()

    assert jvm.is_running()
    assert (server.life_cycle_state(run_id), state(server, cluster_id)) == ("RUNNING", State.RUNNING)
    (library,) = server.client.libraries.cluster_status(cluster_id)
    assert library.library == Library(whl=WHEEL)
    before = committed(tmp_path)
    wait_until(lambda: committed(tmp_path) > before, limit=60)
    server.client.jobs.cancel_run(run_id)
    assert states(server.ended(run_id)) == [("stream_forever", "TERMINATED", "CANCELED")]
    after = committed(tmp_path)
    server.client.clusters.delete(cluster_id)
    assert not jvm.is_running()
    assert committed(tmp_path) <= after + 1


def committed(folder: Path) -> int:
    """How many batches of the streaming query are done."""
    return len(list((folder / "checkpoint" / "commits").glob("[0-9]*")))


def test_a_restarted_cluster_takes_the_changed_secret(server: Server, cluster_id: str) -> None:
    clusters = server.client.clusters
    clusters.start(cluster_id)
    wait_until(lambda: state(server, cluster_id) == State.RUNNING, limit=300)
    assert KEY in core_site(server, cluster_id)
    server.client.secrets.put_secret("bookstore", "adls-account-key", string_value="another key")
    server.client.libraries.uninstall(cluster_id, [Library(whl=WHEEL)])
    clusters.restart(cluster_id)
    wait_until(lambda: state(server, cluster_id) == State.RUNNING, limit=300)
    assert "another key" in core_site(server, cluster_id)
    (libraries,) = server.client.libraries.all_cluster_statuses()
    assert libraries.library_statuses in (None, [])
    assert [cluster.cluster_id for cluster in clusters.list()] == [cluster_id]
    clusters.permanent_delete(cluster_id)
    with pytest.raises(ResourceDoesNotExist, match=f"Cluster {cluster_id} does not exist"):
        clusters.get(cluster_id)


def test_names_of_runtimes_and_nodes_are_those_of_azure(server: Server) -> None:
    clusters = server.client.clusters
    assert "17.3.x-scala2.13" in [version.key for version in clusters.spark_versions().versions or []]
    assert "Standard_DS3_v2" in [node.node_type_id for node in clusters.list_node_types().node_types or []]
