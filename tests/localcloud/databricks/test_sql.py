"""SQL on the lake, and what a cluster knows by name."""

from localcloud.databricks.sql import query
from tests.localcloud.databricks.server import Server, step
from tests.localcloud.waiting import wait_until


def test_sql_reads_what_jobs_wrote_even_after_the_cluster_started_again(workspace: Server) -> None:
    run = workspace.run(step("make_tables", f"file:{workspace.lake}"))
    assert query(workspace.home, "SELECT id FROM silver.numbers ORDER BY id").to_pylist() == [
        {"id": 0},
        {"id": 1},
        {"id": 2},
    ]
    views = workspace.home.workspace / "views.json"
    wait_until(lambda: views.exists() and "big_numbers" in views.read_text(), limit=60)
    (task,) = run.tasks or []
    assert task.cluster_instance is not None
    assert task.cluster_instance.cluster_id is not None
    workspace.client.clusters.delete(task.cluster_instance.cluster_id)
    assert query(workspace.home, "SELECT id FROM silver.big_numbers").to_pylist() == [{"id": 2}]
    assert query(workspace.home, "SELECT count(*) AS n FROM silver.numbers").to_pylist() == [{"n": 3}]
