"""The session that is there from the start, made when it is first used."""

from typing import Any


class LazySpark:
    """`spark`, without the seconds that a session costs a task which never asks for one."""

    def __getattr__(self, name: str) -> Any:
        from pyspark.sql import SparkSession

        return getattr(SparkSession.builder.getOrCreate(), name)
