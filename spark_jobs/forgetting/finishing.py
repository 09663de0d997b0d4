"""What is left to do a day after a customer was erased: `maintain_tables` does it, without knowing who it was."""

import datetime as dt
from collections.abc import Sequence
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.forgetting.erasure import KEPT_HOURS, Erasure, erase, refresh_silver
from spark_jobs.forgetting.holdings import ID, customer_tables
from spark_jobs.forgetting.register import Register, complete, has_unfinished, read_register
from spark_jobs.lake import Lake
from spark_jobs.tables import Table


def erase_stragglers(spark: SparkSession, lake: Lake) -> bool:
    """Erases again whom a job that was under way then has written after all.

    Returns:
        Whether somebody's erasure isn't complete, so that files about customers may only stay for `KEPT_HOURS`.
    """
    register = read_register(spark, lake) if has_unfinished(spark, lake) else None
    if register is None:
        return False
    tables = customer_tables(spark, lake)
    refresh_silver(spark, lake, tables)  # no stream may need a file that is about to go
    for customer_id in _found_again(spark, lake, tables, register):
        erase(Erasure(spark, lake, tables, customer_id, register.digest(customer_id), alone=False))
    return True


def complete_erasures(spark: SparkSession, lake: Lake) -> None:
    """Of whoever was last erased longer ago than files stay, nothing is left once the tables are vacuumed."""
    complete(spark, lake, erased_before=dt.datetime.now(dt.UTC) - dt.timedelta(hours=KEPT_HOURS))


def _found_again(spark: SparkSession, lake: Lake, tables: Sequence[Table], register: Register) -> list[int]:
    read = [lake.read(spark, table) for table in tables]
    each = [rows.where(register.holds(F.col(ID))).select(ID) for rows in read if ID in rows.columns]
    return sorted(row[ID] for row in reduce(DataFrame.unionAll, each).distinct().collect()) if each else []
