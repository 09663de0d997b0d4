"""What a workspace that was killed makes good when it starts again; and all-purpose clusters on the way."""

from collections.abc import Iterator

import psutil
import pytest
from databricks.sdk.errors import ResourceDoesNotExist
from databricks.sdk.service.compute import Library, State

from localcloud.home import Home
from tests.localcloud.databricks.conftest import new_server
from tests.localcloud.databricks.server import KEY, KEY_SETTING, WHEEL, Server, step
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


def test_runs_and_clusters_of_a_killed_workspace_are_ended_and_say_so(server: Server, cluster_id: str) -> None:
    run_id = server.submit(step("wait_forever", new_cluster=None, libraries=None, existing_cluster_id=cluster_id))
    wait_until(lambda: "waiting" in server.printed(run_id), limit=300)
    assert state(server, cluster_id) == State.RUNNING
    assert server.process is not None
    family = psutil.Process(server.process.pid).children(recursive=True)

    server.kill()
    assert all(process.is_running() for process in family)
    server.start()

    assert not any(process.is_running() for process in family)
    ended = server.client.jobs.get_run(run_id).state
    assert ended is not None
    assert ended.life_cycle_state is not None
    assert ended.life_cycle_state.value == "INTERNAL_ERROR"
    assert ended.state_message == "The workspace was restarted while this was running: run it again."
    assert state(server, cluster_id) == State.TERMINATED
    (library,) = server.client.libraries.cluster_status(cluster_id)
    assert library.library == Library(whl=WHEEL)


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
