"""What a task finds on Databricks' clusters, beside what is installed: `dbutils`, by each of the names it has there.

Imported in a task's own process, where nothing of the workspace server is.
"""

import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .dbutils import DBUtils
from .spark import LazySpark

_namespace: dict[str, Any] = {}


class UserNamespaceInitializer:
    """Where databricks-sdk's `runtime` module looks for what a notebook has."""

    @staticmethod
    def getOrCreate() -> "UserNamespaceInitializer":  # noqa: N802 - Databricks' name
        return UserNamespaceInitializer()

    def get_namespace_globals(self) -> dict[str, Any]:
        return _namespace


def prepare(folder: Path, task: Mapping[str, Any]) -> None:
    """Gives this process its task's `dbutils`."""
    dbutils = DBUtils.of_task(folder, task)
    _namespace.update(dbutils=dbutils, spark=LazySpark(), display=print)
    in_pyspark = types.ModuleType("pyspark.dbutils")
    in_pyspark.DBUtils = lambda _spark=None: dbutils  # type: ignore[attr-defined]
    sys.modules["pyspark.dbutils"] = in_pyspark
