"""What a checkpoint says about a batch."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from spark_jobs.checkpoints import BatchPlan, has_begun, read_batch_plan
from spark_jobs.errors import RecreatedTopicError


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    (tmp_path / "offsets").mkdir()
    (tmp_path / "metadata").write_text('{"id":"s-1"}')
    (tmp_path / "offsets" / "0").write_text('v1\n{"conf":{}}\n{"orders":{"0":5}}\n{"books":{"0":0}}')
    (tmp_path / "offsets" / "1").write_text('v1\n{"conf":{}}\n{"orders":{"0":9,"1":2}}\n{"books":{"0":0}}')
    return f"file:{tmp_path}"


def test_the_first_batch_covers_every_offset_from_0(spark: SparkSession, checkpoint: str) -> None:
    offsets = {("orders", 0): range(5), ("books", 0): range(0)}
    assert read_batch_plan(spark, checkpoint, 0, {}) == BatchPlan("s-1", offsets)


def test_a_later_batch_starts_where_the_one_before_ended(spark: SparkSession, checkpoint: str) -> None:
    offsets = {("orders", 0): range(5, 9), ("orders", 1): range(2), ("books", 0): range(0)}
    assert read_batch_plan(spark, checkpoint, 1, {}) == BatchPlan("s-1", offsets)


def test_the_first_batch_after_a_lost_checkpoint_covers_what_is_new(spark: SparkSession, checkpoint: str) -> None:
    offsets = {("orders", 0): range(3, 5), ("books", 0): range(0)}
    assert read_batch_plan(spark, checkpoint, 0, {("orders", 0): 3}) == BatchPlan("s-1", offsets)


def test_a_partition_that_ends_before_the_position_is_another(spark: SparkSession, checkpoint: str) -> None:
    with pytest.raises(RecreatedTopicError, match="orders partition 0 must have the offsets that were read of it"):
        read_batch_plan(spark, checkpoint, 0, {("orders", 0): 6})


def test_a_stream_has_begun_when_its_first_position_is_written(spark: SparkSession, checkpoint: str) -> None:
    assert not has_begun(spark, checkpoint)
    source = Path(checkpoint.removeprefix("file:")) / "sources" / "0"
    source.mkdir(parents=True)
    (source / "0").write_text("v1")
    assert has_begun(spark, checkpoint)
