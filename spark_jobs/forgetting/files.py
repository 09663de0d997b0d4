"""Files that hold what tables no longer hold: rows that are only marked as deleted, and versions gone by."""

from pyspark.sql import SparkSession

from spark_jobs.upkeep import KEEP_FILES, properties_of

_NO_TIME = "interval 0 hours"
_MARKS = "delta.feature.deletionVectors"


def leave_no_rows(spark: SparkSession, name: str) -> None:
    """Writes files anew whose rows are only marked as deleted."""
    if _MARKS in properties_of(spark, name):
        spark.sql(f"REORG TABLE {name} APPLY (PURGE)")


def remove_old_files(spark: SparkSession, name: str) -> None:
    """Removes every file that the table's latest version doesn't need, also what a writer is about to commit.

    The table's property decides, and not the statement's RETAIN, whose check no serverless compute lets be turned off.
    """
    usual = properties_of(spark, name).get(KEEP_FILES, _NO_TIME)
    spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('{KEEP_FILES}' = '{_NO_TIME}')")
    try:
        spark.sql(f"VACUUM {name}")
    finally:
        if usual == _NO_TIME:  # also where a run died before this line
            spark.sql(f"ALTER TABLE {name} UNSET TBLPROPERTIES ('{KEEP_FILES}')")
        else:
            spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('{KEEP_FILES}' = '{usual}')")
