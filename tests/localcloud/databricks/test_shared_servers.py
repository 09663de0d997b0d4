"""Which clusters share a server, and what becomes of each when another ends."""

from collections.abc import Iterator

import psutil
import pytest
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.compute import ClusterSource, ListClustersFilterBy, State
from sqlalchemy import update

from localcloud.databricks.state import Cluster, now
from localcloud.databricks.state import State as Database
from tests.localcloud.databricks.server import SMALL_CLUSTER, Server, states
from tests.localcloud.waiting import wait_until
from tests.processes import command

RUNTIME = "17.3.x-scala2.13"
WAIT = """
import sys, time
from pathlib import Path
print("waits", flush=True)
while not Path(sys.argv[1]).exists():
    time.sleep(0.05)
"""


def started(server: Server, settings: str, idle_minutes: int | None = None) -> str:
    """A running all-purpose cluster, whose settings are those of others with the same text."""
    created = server.client.clusters.create(
        spark_version=RUNTIME,
        num_workers=0,
        spark_env_vars={"SHARED": settings},
        autotermination_minutes=idle_minutes,
    )
    cluster_id: str = created.bind()["cluster_id"]
    wait_until(lambda: state(server, cluster_id) is State.RUNNING, limit=120)
    return cluster_id


def state(server: Server, cluster_id: str) -> State | None:
    return server.client.clusters.get(cluster_id).state


def jvms(server: Server, settings: str) -> list[int]:
    """The servers with these settings."""
    assert server.process is not None
    return sorted(
        process.pid
        for process in psutil.Process(server.process.pid).children()
        if "org.apache.spark.sql.connect.service.SparkConnectServer" in command(process)
        and process.environ().get("SHARED") == settings
    )


@pytest.fixture
def pair(light: Server, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Two clusters of the same settings."""
    settings = str(request.node.name)
    pair = started(light, settings), started(light, settings)
    yield pair
    for cluster in light.client.clusters.list():
        if cluster.cluster_id in pair:
            light.client.clusters.permanent_delete(cluster.cluster_id)


def test_clusters_of_the_same_settings_share_a_server_and_others_do_not(
    light: Server, pair: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    other = started(light, "other")
    assert len(jvms(light, request.node.name)) == 1
    assert len(jvms(light, "other")) == 1
    light.client.clusters.permanent_delete(other)
    assert pair[0] != pair[1]


def test_a_deleted_cluster_leaves_its_warm_server_to_the_next(light: Server) -> None:
    first = started(light, "next")
    servers = jvms(light, "next")
    light.client.clusters.permanent_delete(first)
    second = started(light, "next")
    assert (len(servers), jvms(light, "next")) == (1, servers)
    light.client.clusters.delete(second)


def test_a_terminated_cluster_leaves_no_server(light: Server) -> None:
    alone = started(light, "alone")
    light.client.clusters.delete(alone)
    assert jvms(light, "alone") == []
    light.client.clusters.permanent_delete(alone)


def test_whoever_deletes_a_cluster_ends_what_runs_there_and_nothing_else(light: Server, pair: tuple[str, str]) -> None:
    go_on = light.home.root / "go-on"
    doomed, safe = (
        light.submit(light.script(name, WAIT, str(go_on), new_cluster=None, existing_cluster_id=cluster_id))
        for name, cluster_id in zip(("doomed", "safe"), pair, strict=True)
    )
    wait_until(lambda: "waits" in light.printed(doomed) and "waits" in light.printed(safe), limit=120)
    light.client.clusters.permanent_delete(pair[0])
    ended = light.ended(doomed)
    assert states(ended) == [("doomed", "INTERNAL_ERROR", "FAILED")]
    (details,) = (task.status.termination_details for task in ended.tasks or [] if task.status)
    assert details is not None
    assert details.code is not None
    assert details.code.value == "CLUSTER_ERROR"
    assert details.message == f"Cluster {pair[0]} ended while the task was running: run it again"
    go_on.touch()
    assert states(light.ended(safe)) == [("safe", "TERMINATED", "SUCCESS")]


def test_a_cluster_whose_server_was_killed_is_terminated_and_starts_again_for_the_next_run(
    light: Server, pair: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    (server,) = jvms(light, request.node.name)
    psutil.Process(server).kill()
    wait_until(lambda: [state(light, cluster_id) for cluster_id in pair] == [State.TERMINATED] * 2, limit=30)
    run = light.run(light.script("again", "print(1)", new_cluster=None, existing_cluster_id=pair[0]))
    assert states(run) == [("again", "TERMINATED", "SUCCESS")]
    assert [state(light, cluster_id) for cluster_id in pair] == [State.RUNNING, State.TERMINATED]
    assert jvms(light, request.node.name) != [server]


def test_a_cluster_that_nobody_uses_ends_after_its_minutes(light: Server) -> None:
    forgotten, used = started(light, "idle", idle_minutes=10), started(light, "idle")
    database = Database(light.home.workspace / "workspace.db")
    with database.transaction() as session:
        long_ago = now() - 10 * 60_000 - 1
        session.execute(
            update(Cluster).where(Cluster.cluster_id.in_([forgotten, used])).values(last_used_time=long_ago)
        )
    database.close()
    ended = light.client.clusters.get(forgotten)
    assert (ended.state, ended.state_message) == (State.TERMINATED, "Terminated for inactivity")
    assert state(light, used) is State.RUNNING
    for cluster_id in (forgotten, used):
        light.client.clusters.permanent_delete(cluster_id)


def test_a_cluster_may_not_end_after_fewer_than_ten_minutes(light: Server) -> None:
    with pytest.raises(InvalidParameterValue, match="autotermination_minutes must be 0 or from 10 to 10000, found 9"):
        light.client.clusters.create(spark_version=RUNTIME, num_workers=0, autotermination_minutes=9)


def test_clusters_are_listed_by_source_and_state(light: Server) -> None:
    own = started(light, "listed")
    light.run(light.script("job", "print(1)", new_cluster=SMALL_CLUSTER))

    def listed(**wanted: object) -> dict[str, bool]:
        found = light.client.clusters.list(filter_by=ListClustersFilterBy(**wanted))  # type: ignore[arg-type]
        return {cluster.cluster_id or "": cluster.cluster_source is ClusterSource.API for cluster in found}

    assert own in listed(cluster_sources=[ClusterSource.API], cluster_states=[State.RUNNING])
    assert all(listed(cluster_sources=[ClusterSource.API]).values())
    assert own not in listed(cluster_states=[State.TERMINATED])
    light.client.clusters.permanent_delete(own)
