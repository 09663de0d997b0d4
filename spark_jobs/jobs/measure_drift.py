"""Compares a date with the one before it: `gold.rfm`, `customer_segments` -> `gold.drift`, `gold.segment_migrations`.

Both follow from two partitions each, so they are written here, where both have been written, and not by
`assign_segments`: a date that is run again in the middle changes its own comparison and that of the next date.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession

from spark_jobs.conflicts import is_conflict
from spark_jobs.entry import Result, run_job
from spark_jobs.errors import JobError
from spark_jobs.lake import Lake
from spark_jobs.partitions import missing_partition
from spark_jobs.segmentation.comparing import Existing, read_existing, write_drift, write_migrations
from spark_jobs.tables import RFM

_ATTEMPTS = 5


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        snapshot_date: The partition that has been written, or written again.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    snapshot_date: dt.date
    catalog: str = ""


def run(spark: SparkSession, config: Config) -> Result:
    """Replaces what is said about `snapshot_date` and the date after it.

    Dates that are made at once are each other's neighbours. So a comparison is made again when a commit of another one
    came between, or when there are other neighbours afterwards than before: the last to write has seen all.
    """
    lake = Lake(config.lake_root, config.catalog)
    existing = read_existing(spark, lake, config.snapshot_date)
    for _ in range(_ATTEMPTS):
        result = _compared(spark, lake, existing, config.snapshot_date)
        seen, existing = existing, read_existing(spark, lake, config.snapshot_date)
        if result is not None and existing == seen:
            return result
    raise JobError(
        f"{config.snapshot_date} is to be compared with its neighbours, and they changed {_ATTEMPTS} times meanwhile: "
        f"run measure_drift --snapshot_date={config.snapshot_date} again"
    )


def _compared(spark: SparkSession, lake: Lake, existing: Existing, snapshot_date: dt.date) -> Result | None:
    """What was found; None where another run's commit came between."""
    if not existing.has_rfm(snapshot_date):
        raise missing_partition(RFM, snapshot_date, "aggregate_rfm")
    try:
        rows = write_drift(spark, lake, existing)
        write_migrations(spark, lake, existing)
    except Exception as error:
        if is_conflict(error):
            return None
        raise
    own = [row for row in rows if row.snapshot_date == snapshot_date]
    if not own:
        reason = f"gold.rfm has no partition before {snapshot_date} with the same look-back to compare it with"
        return {"snapshot_date": snapshot_date, "rows": 0, "skipped": reason}
    alarms = ", ".join(row.feature for row in own if row.is_alarm)
    return {"snapshot_date": snapshot_date, "rows": len(own), "earlier_date": own[0].earlier_date, "alarms": alarms}


def main(argv: Sequence[str] | None = None) -> None:
    run_job("measure_drift", Config, run, argv)


if __name__ == "__main__":
    main()
