"""Rows that one job reads many times."""

from contextlib import ExitStack

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame


def cached(rows: DataFrame, caches: ExitStack) -> DataFrame:
    """Keeps rows until `caches` are closed; serverless compute keeps none, and reads them again each time."""
    try:
        rows.persist()
    except PySparkException as error:
        if error.getCondition() != "NOT_SUPPORTED_WITH_SERVERLESS":
            raise
        return rows
    caches.callback(rows.unpersist)
    return rows
