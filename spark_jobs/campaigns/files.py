"""A campaign's audience as files that its tool can read."""

import datetime as dt

from pyspark.sql import DataFrame

from spark_jobs.lake import Lake
from spark_jobs.transforms.audiences import contacts


def write_files(members: DataFrame, customers: DataFrame, lake: Lake, campaign: str, snapshot_date: dt.date) -> str:
    """One file of each kind, for tools that take one.

    Args:
        members: Rows of `gold.audiences` of one campaign and date.
        customers: `silver.customers`.
        lake: Where the files go.
        campaign: Its id.
        snapshot_date: The date.

    Returns:
        The folder.
    """
    path = f"{lake.root}/audiences/{campaign}/{snapshot_date}"
    ordered = contacts(members, customers).orderBy("customer_id").coalesce(1).write.mode("overwrite")
    ordered.option("header", True).csv(f"{path}/csv")
    ordered.parquet(f"{path}/parquet")
    return path
