"""How a job reads a stream: everything that is there now, in bounded batches, each exactly once."""

from collections.abc import Callable

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.lake import Lake
from spark_jobs.tables import Table


def drain(stream: DataFrame, checkpoint: str, process: Callable[[DataFrame, int], None]) -> None:
    """Hands what is available now to `process`, batch by batch, and remembers how far it came.

    A batch whose processing was cut short is handed over again, with the same number and the same rows.

    Args:
        stream: A streaming DataFrame.
        checkpoint: Folder of the stream's position.
        process: Takes a batch and its number. Over Spark Connect it is pickled and runs in a process of the server, so
            it must be importable there and hold nothing of this session.
    """
    writer = stream.writeStream.foreachBatch(process).option("checkpointLocation", checkpoint)
    writer.trigger(availableNow=True).start().awaitTermination()


def read_stream(spark: SparkSession, lake: Lake, table: Table) -> DataFrame:
    """The rows that are appended to a table, as a stream.

    Raises:
        MissingTableError: Nothing has written the table yet.
    """
    lake.read(spark, table)
    return spark.readStream.format("delta").load(lake.path(table))
