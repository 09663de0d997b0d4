"""`kill -9` of the workspace server: what still runs goes on, what doesn't says so, and every answer stays the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from databricks.sdk.service.compute import State
from databricks.sdk.service.jobs import SubmitTask, TaskDependency

from localcloud.databricks.engine.processes import leftovers
from localcloud.databricks.engine.task_process import living_task
from tests.localcloud.databricks.conftest import light_server
from tests.localcloud.databricks.server import Server, states
from tests.localcloud.waiting import wait_until
from tests.processes import command

WAIT = """
import sys, time
from pathlib import Path
print("waits", flush=True)
while not Path(sys.argv[1]).exists():
    time.sleep(0.05)
print("done")
"""
WAIT_ONCE = """
import sys, time
from pathlib import Path
if Path(sys.argv[1]).exists():
    sys.exit()
print("waits", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = light_server(tmp_path_factory.mktemp("killed"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cluster_id(server: Server) -> Iterator[str]:
    created = server.client.clusters.create(spark_version="17.3.x-scala2.13", num_workers=0)
    cluster_id: str = created.bind()["cluster_id"]
    wait_until(lambda: server.client.clusters.get(cluster_id).state is State.RUNNING, limit=60)
    yield cluster_id
    server.client.clusters.permanent_delete(cluster_id)


@pytest.fixture
def go_on(tmp_path: Path) -> Path:
    return tmp_path / "go-on"


def begun(server: Server, *tasks: SubmitTask) -> int:
    """A run whose first task has begun to wait."""
    run_id = server.submit(*tasks)
    wait_until(lambda: "waits" in server.printed(run_id), limit=60)
    return run_id


def waiting(server: Server, cluster_id: str, go_on: Path, source: str = WAIT, **changes: object) -> SubmitTask:
    return server.script("first", source, str(go_on), new_cluster=None, existing_cluster_id=cluster_id, **changes)


def answers(server: Server, run_id: int, cluster_id: str) -> list[Any]:
    """Every GET that knows the run or the cluster, less how long it has taken so far."""
    (task, *_) = server.client.jobs.get_run(run_id).tasks or []
    asked: dict[str, dict[str, Any]] = {
        "jobs/runs/get": {"run_id": run_id, "include_history": True},
        "jobs/runs/get-output": {"run_id": task.run_id},
        "jobs/runs/list": {"expand_tasks": True},
        "clusters/get": {"cluster_id": cluster_id},
        "clusters/list": {},
    }
    with server.http() as http:
        found = [
            http.get(f"/api/2.1/{route}", params=query).raise_for_status().json() for route, query in asked.items()
        ]
    return without_durations(found)  # type: ignore[no-any-return]


def without_durations(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: without_durations(value) for name, value in found.items() if not name.endswith("duration")}
    return [without_durations(value) for value in found] if isinstance(found, list) else found


def process(server: Server, run_id: int) -> psutil.Process:
    (task, *_) = server.client.jobs.get_run(run_id).tasks or []
    pid = living_task(server.home.workspace / "runs" / str(task.run_id))
    assert pid is not None
    return psutil.Process(pid)


def test_what_still_runs_is_followed_and_what_waited_for_it_runs_too(
    server: Server, cluster_id: str, go_on: Path
) -> None:
    then = server.script("then", "print('later')", new_cluster=None, existing_cluster_id=cluster_id)
    then.depends_on = [TaskDependency("first")]
    run_id = begun(server, waiting(server, cluster_id, go_on), then)
    before = answers(server, run_id, cluster_id)

    server.kill()
    server.start()

    assert answers(server, run_id, cluster_id) == before
    go_on.touch()
    run = server.ended(run_id)
    assert states(run) == [("first", "TERMINATED", "SUCCESS"), ("then", "TERMINATED", "SUCCESS")]
    assert server.logs(run) == {"first": "waits\ndone\n", "then": "later\n"}


def test_what_ended_while_nobody_watched_ended_as_it_did(server: Server, cluster_id: str, go_on: Path) -> None:
    run_id = begun(server, waiting(server, cluster_id, go_on))
    task = process(server, run_id)

    server.kill()
    go_on.touch()
    wait_until(lambda: not task.is_running(), limit=30)
    server.start()

    assert states(server.ended(run_id)) == [("first", "TERMINATED", "SUCCESS")]


def test_what_died_while_nobody_watched_says_so(server: Server, cluster_id: str, go_on: Path) -> None:
    run_id = begun(server, waiting(server, cluster_id, go_on))
    task = process(server, run_id)

    server.kill()
    task.kill()
    server.start()

    run = server.ended(run_id)
    assert states(run) == [("first", "INTERNAL_ERROR", "FAILED")]
    (attempt,) = run.tasks or []
    assert attempt.state is not None
    assert attempt.state.state_message == "The workspace was restarted while this was running: run it again."


def test_what_died_while_nobody_watched_is_retried_where_its_task_allows_it(
    server: Server, cluster_id: str, go_on: Path
) -> None:
    run_id = begun(server, waiting(server, cluster_id, go_on, WAIT_ONCE, max_retries=1))
    task = process(server, run_id)

    server.kill()
    task.kill()
    go_on.touch()
    server.start()

    assert states(server.ended(run_id)) == [("first", "INTERNAL_ERROR", "FAILED"), ("first", "TERMINATED", "SUCCESS")]


def test_a_task_whose_cluster_died_as_well_is_ended(server: Server, cluster_id: str, go_on: Path) -> None:
    run_id = begun(server, waiting(server, cluster_id, go_on))
    task = process(server, run_id)
    jvms = [each for each in leftovers(server.home) if any("SparkConnectServer" in word for word in command(each))]

    server.kill()
    for jvm in jvms:
        jvm.kill()
    server.start()

    assert not task.is_running()
    assert states(server.ended(run_id)) == [("first", "INTERNAL_ERROR", "FAILED")]
    assert server.client.clusters.get(cluster_id).state is State.TERMINATED
    assert list(leftovers(server.home)) == []


def test_a_run_is_cancelled_also_by_the_next_server(server: Server, cluster_id: str, go_on: Path) -> None:
    run_id = begun(server, waiting(server, cluster_id, go_on))
    task = process(server, run_id)

    server.kill()
    server.start()
    server.client.jobs.cancel_run(run_id)

    assert states(server.ended(run_id)) == [("first", "TERMINATED", "CANCELED")]
    assert not task.is_running()


def test_the_time_of_a_run_goes_on(server: Server, cluster_id: str, go_on: Path) -> None:
    run_id = server.submit(waiting(server, cluster_id, go_on), timeout_seconds=5)
    wait_until(lambda: "waits" in server.printed(run_id), limit=60)

    server.kill()
    server.start()

    run = server.ended(run_id)
    assert states(run) == [("first", "TERMINATED", "TIMEDOUT")]
    assert (run.end_time or 0) - (run.start_time or 0) < 60_000
