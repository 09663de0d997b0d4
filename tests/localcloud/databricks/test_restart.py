"""What a workspace that was killed makes good when it starts again; and all-purpose clusters on the way."""

from collections.abc import Iterator

import psutil
import pytest
from databricks.sdk.errors import ResourceDoesNotExist
from databricks.sdk.service.compute import Library, State

from localcloud.home import Home
from tests.localcloud.databricks.conftest import new_server
from tests.localcloud.databricks.server import WHEEL, Server, step
from tests.localcloud.waiting import wait_until


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = new_server(Home(tmp_path_factory.mktemp("restart") / "home"))
    server.start()
    yield server
    server.stop()


def test_runs_and_clusters_of_a_killed_workspace_are_ended_and_say_so(server: Server) -> None:
    server.prepare()
    clusters = server.client.clusters
    cluster_id = clusters.create(spark_version="17.3.x-scala2.13", num_workers=0, cluster_name="mine").bind()[
        "cluster_id"
    ]
    server.client.libraries.install(cluster_id, [Library(whl=WHEEL)])
    run_id = server.submit(step("wait_forever", new_cluster=None, libraries=None, existing_cluster_id=cluster_id))
    wait_until(lambda: "waiting" in server.printed(run_id), limit=300)
    assert clusters.get(cluster_id).state == State.RUNNING
    assert server.process is not None
    family = psutil.Process(server.process.pid).children(recursive=True)

    server.kill()
    assert any(process.is_running() for process in family)
    server.start()

    assert not any(process.is_running() for process in family)
    state = server.client.jobs.get_run(run_id).state
    assert state is not None
    assert state.life_cycle_state is not None
    assert state.life_cycle_state.value == "INTERNAL_ERROR"
    assert state.state_message == "The workspace was restarted while this was running: run it again."
    assert clusters.get(cluster_id).state == State.TERMINATED
    (library,) = server.client.libraries.cluster_status(cluster_id)
    assert library.library == Library(whl=WHEEL)
    clusters.permanent_delete(cluster_id)
    with pytest.raises(ResourceDoesNotExist, match=f"Cluster {cluster_id} does not exist"):
        clusters.get(cluster_id)
