"""What a DAG run left on Databricks: its steps' runs, and clusters."""

from collections import defaultdict

from databricks.sdk.service.jobs import BaseRun

from tests.end_to_end.conftest import Chain


def runs_of(chain: Chain, key: str) -> dict[str, list[BaseRun]]:
    """The runs of each step for one partition, the newest first."""
    found: defaultdict[str, list[BaseRun]] = defaultdict(list)
    for run in chain.cloud.databricks().jobs.list_runs(expand_tasks=True):
        name, _, partition = (run.run_name or "").partition(" ")
        if partition == key:
            found[name.partition(".")[2]].append(run)
    return dict(found)


def clusters_of(chain: Chain, key: str) -> set[str]:
    """What these runs ran on."""
    return {cluster_of(run) for runs in runs_of(chain, key).values() for run in runs}


def cluster_of(run: BaseRun) -> str:
    (task,) = run.tasks or []
    assert task.cluster_instance is not None
    return str(task.cluster_instance.cluster_id)


def clusters_left(chain: Chain) -> list[str]:
    """The clusters of DAG runs that nobody has deleted."""
    listed = chain.cloud.databricks().clusters.list()
    return [cluster.cluster_name or "" for cluster in listed if "bookstore_run" in (cluster.custom_tags or {})]
