"""What Spark writes to disk when memory is short."""

import dataclasses
from pathlib import Path

import pytest

from tests.end_to_end.leaks import forms, in_files
from tests.localcloud.databricks.server import CLUSTER, KEY, Server, results

CROWDED = """\
import sys
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
spark.range(10).write.mode("overwrite").parquet(sys.argv[1])
spark.read.parquet(sys.argv[1]).cache().count()
spark.range(0, 10_000_000, 1, 100).select(F.rand(1)).cache().count()
"""


def scratch(server: Server, cluster_id: str) -> Path:
    return server.home.workspace / "clusters" / cluster_id / "scratch"


@pytest.mark.full
def test_the_settings_of_a_reader_that_had_to_make_room_are_unreadable_on_disk(workspace: Server) -> None:
    """Spark sends each reader the Hadoop settings, with the storage key, and keeps them while memory allows."""
    cluster = dataclasses.replace(CLUSTER, spark_conf={**(CLUSTER.spark_conf or {}), "spark.memory.fraction": "0.1"})
    run = workspace.run(workspace.script("crowded", CROWDED, f"file:{workspace.lake}/ten", new_cluster=cluster))
    assert results(run) == {"crowded": "SUCCESS"}
    instance = (run.tasks or [])[0].cluster_instance
    assert instance is not None
    folder = scratch(workspace, instance.cluster_id or "")
    assert list(folder.rglob("broadcast_*"))
    assert list(in_files(folder, forms(KEY), allowed=[])) == []
