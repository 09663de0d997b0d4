"""How a job reads a stream, each batch exactly once: everything that is there now, or on and on for a while."""

from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from spark_jobs.lake import Lake
from spark_jobs.tables import Table

Process = Callable[[DataFrame, int], None]
Watch = Callable[[dict[str, Any]], None]
_LOOK_SECONDS = 2


def drain(stream: DataFrame, checkpoint: str, process: Process, watch: Watch | None = None) -> None:
    """Hands what is available now to `process`, batch by batch, and remembers how far it came.

    A batch whose processing was cut short is handed over again, with the same number and the same rows.

    Args:
        stream: A streaming DataFrame.
        checkpoint: Folder of the stream's position.
        process: Takes a batch and its number. Over Spark Connect it is pickled and runs in a process of the server, so
            it must be importable there and hold nothing of this session.
        watch: Is told of each batch while the stream runs: Spark's progress, as a dictionary.
    """
    writer = stream.writeStream.foreachBatch(process).option("checkpointLocation", checkpoint)
    query = writer.trigger(availableNow=True).start()
    if watch is None:
        query.awaitTermination()
    else:
        _watched(query, watch, is_over=lambda: False)


def follow(
    stream: DataFrame, checkpoint: str, process: Process, watch: Watch, *, every: str, is_over: Callable[[], bool]
) -> None:
    """The same for what arrives until `is_over`, in a batch whenever the time `every` has passed.

    Then the query is stopped; a batch that this cuts short is completed by whoever goes on from the checkpoint.
    """
    writer = stream.writeStream.foreachBatch(process).option("checkpointLocation", checkpoint)
    query = writer.trigger(processingTime=every).start()
    try:
        _watched(query, watch, is_over)
    finally:
        query.stop()


def _watched(query: StreamingQuery, watch: Watch, is_over: Callable[[], bool]) -> None:
    """Looks at the query now and then until it ends, fails or the time is over."""
    seen = -1
    has_ended = False
    while not has_ended:
        has_ended = bool(query.awaitTermination(_LOOK_SECONDS)) or is_over()
        for progress in query.recentProgress:
            if progress["batchId"] > seen and _took_anything(progress):
                seen = progress["batchId"]
                watch(progress)


def _took_anything(progress: dict[str, Any]) -> bool:
    """By its rows, or, where Spark counted none, by how far it came."""
    moved = (source["startOffset"] not in (None, source["endOffset"]) for source in progress["sources"])
    return bool(progress["numInputRows"]) or any(moved)


def read_stream(spark: SparkSession, lake: Lake, table: Table) -> DataFrame:
    """The rows that are appended to a table, as a stream; those that a later commit blanked or removed are left out.

    Raises:
        MissingTableError: Nothing has written the table yet.
    """
    lake.read(spark, table)
    return spark.readStream.format("delta").option("skipChangeCommits", "true").load(lake.path(table))
