"""What a checkpoint says about a batch."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from spark_jobs.checkpoints import BatchPlan, read_batch_plan


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    (tmp_path / "offsets").mkdir()
    (tmp_path / "metadata").write_text('{"id":"s-1"}')
    (tmp_path / "offsets" / "0").write_text('v1\n{"conf":{}}\n{"orders":{"0":5},"books":{"0":0}}')
    (tmp_path / "offsets" / "1").write_text('v1\n{"conf":{}}\n{"orders":{"0":9,"1":2},"books":{"0":0}}')
    return f"file:{tmp_path}"


def test_the_first_batch_covers_every_offset_from_0(spark: SparkSession, checkpoint: str) -> None:
    offsets = {("orders", 0): range(5), ("books", 0): range(0)}
    assert read_batch_plan(spark, checkpoint, 0) == BatchPlan("s-1", offsets)


def test_a_later_batch_starts_where_the_one_before_ended(spark: SparkSession, checkpoint: str) -> None:
    offsets = {("orders", 0): range(5, 9), ("orders", 1): range(2), ("books", 0): range(0)}
    assert read_batch_plan(spark, checkpoint, 1) == BatchPlan("s-1", offsets)
