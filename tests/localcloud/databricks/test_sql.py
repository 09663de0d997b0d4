"""SQL on the lake, and what a cluster knows by name."""

import pytest
from databricks.sdk.service.compute import State
from pyspark.errors import PySparkException

from localcloud.databricks.sql import query, warm_up
from tests.localcloud.databricks.server import Server, step
from tests.localcloud.waiting import wait_until


@pytest.fixture(scope="module")
def cluster_id(workspace: Server) -> str:
    """The cluster on which a job has made a table and a view."""
    (task,) = workspace.run(step("make_tables", f"file:{workspace.lake}")).tasks or []
    assert task.cluster_instance is not None
    assert task.cluster_instance.cluster_id is not None
    return task.cluster_instance.cluster_id


@pytest.mark.usefixtures("cluster_id")
def test_sql_reads_what_jobs_wrote(workspace: Server) -> None:
    rows = query(workspace.home, "SELECT id FROM silver.numbers ORDER BY id")
    assert rows.to_pylist() == [{"id": 0}, {"id": 1}, {"id": 2}]


@pytest.mark.full
def test_warming_up_starts_the_cluster_that_was_used_last_and_it_knows_the_lake(
    workspace: Server, cluster_id: str
) -> None:
    views = workspace.home.workspace / "views.json"
    wait_until(lambda: views.exists() and "big_numbers" in views.read_text(), limit=60)
    clusters = workspace.client.clusters
    for running in clusters.list():
        clusters.delete(running.cluster_id or "")
    assert clusters.get(cluster_id).state == State.TERMINATED
    warm_up(workspace.home)
    wait_until(lambda: clusters.get(cluster_id).state == State.RUNNING, limit=300)
    assert query(workspace.home, "SELECT id FROM silver.big_numbers").to_pylist() == [{"id": 2}]
    assert query(workspace.home, "SELECT count(*) AS n FROM silver.numbers").to_pylist() == [{"n": 3}]


@pytest.mark.usefixtures("cluster_id")
def test_a_refusal_is_for_a_person(workspace: Server, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PySparkException, match=r"\[UNRESOLVED_COLUMN.WITH_SUGGESTION\].* `nam` ") as refused:
        query(workspace.home, "SELECT nam FROM silver.numbers")
    assert "\tat " not in str(refused.value)
    assert capfd.readouterr().err == ""
