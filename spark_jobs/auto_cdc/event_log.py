"""What is remembered: the events of unfinished calls, and of finished ones what later calls may need.

Each row is an event that a source really had. `__PART` says why it is kept:

- `pending-<call>`: a call has begun, and its events may or may not be in the target yet;
- `remembered-<call>`: a later call may need it, since it may have an event that comes before;
- `truncates-<call>`: the target was emptied of what came before.

An event is logged under both headings at once. The parts' names alone tell a call whether there are events but its own
that matter to it; maintenance brings `remembered` and `truncates` together.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from spark_jobs.auto_cdc.columns import conformed
from spark_jobs.auto_cdc.spec import DELETE, KEY, LOGGED_AT, PART, ROW, SEQUENCE
from spark_jobs.auto_cdc.summary import Summary, measures, summary_of
from spark_jobs.auto_cdc.tables import Tables
from spark_jobs.sql import literal, quoted

PENDING = "pending"
REMEMBERED = "remembered"
TRUNCATES = "truncates"
COLUMNS = (KEY, SEQUENCE, DELETE, ROW, PART)


@dataclass(frozen=True)
class Logged:
    """This call's events in the companion.

    Attributes:
        call: The call's name.
        summary: What was seen of them while they were written.
    """

    call: str
    summary: Summary

    @property
    def pending(self) -> str:
        return f"{PENDING}-{self.call}"

    @property
    def parts(self) -> frozenset[str]:
        return frozenset(f"{kind}-{self.call}" for kind in (PENDING, REMEMBERED, TRUNCATES))


def log_events(events: DataFrame, tables: Tables) -> Logged:
    """Writes a call's events down, in one commit: from here on the call takes effect, if need be with the next one."""
    call = str(uuid.uuid4())
    reason = F.when(F.col(KEY).isNull(), F.lit(TRUNCATES)).otherwise(F.lit(REMEMBERED))
    seen = Observation()
    observed = events.observe(seen, *measures(tables.shape))
    twice = observed.select(KEY, SEQUENCE, DELETE, ROW, F.explode(F.array(F.lit(PENDING), reason)).alias(PART))
    parts = twice.withColumn(PART, F.concat_ws("-", F.col(PART), F.lit(call)))
    frame = parts.withColumn(LOGGED_AT, F.current_timestamp())
    frame.write.format("delta").mode("append").option("mergeSchema", "true").saveAsTable(tables.companion)
    return Logged(call, summary_of(tables.shape, seen.get))


def is_part(*kinds: str) -> Column:
    """Whether a row is kept for one of these reasons."""
    return F.substring_index(F.col(PART), "-", 1).isin(*kinds)


def events_in(spark: SparkSession, tables: Tables, wanted: Column) -> DataFrame:
    """The events of the wanted parts, their rows in the call's shape."""
    companion = spark.table(tables.companion)
    row = conformed(F.col(ROW), companion.schema[ROW].dataType, tables.shape.row)
    return companion.where(wanted).withColumn(ROW, row).select(*COLUMNS)


def parts_in(spark: SparkSession, companion: str, *wanted: Column) -> set[str]:
    """The parts that hold rows for which one of the conditions may be true, told from the names of files alone."""
    # Each condition on its own: Delta skips files by their statistics under AND, not under OR with a partition.
    found = [spark.table(companion).where(condition).select(PART) for condition in wanted]
    files = reduce(lambda one, other: one.union(other), found).inputFiles()
    return {file.rsplit("/", 2)[-2].removeprefix(f"{PART}=") for file in files}


def forget_pending(spark: SparkSession, tables: Tables, calls: Sequence[str]) -> None:
    """Drops the pending events; a whole partition goes at a time, so that no file is read or written."""
    listed = ", ".join(literal(call) for call in calls)
    spark.sql(f"DELETE FROM {tables.companion} WHERE {quoted(PART)} IN ({listed})")
