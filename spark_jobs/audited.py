"""What `ops.ingest_audit` knows of all batches so far, in one statement."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.checkpoints import TopicPartition
from spark_jobs.errors import StaleBronzeError
from spark_jobs.lake import Lake
from spark_jobs.tables import INGEST_AUDIT
from spark_jobs.topics import TOPICS


@dataclass(frozen=True)
class Audited:
    """The sum of all batches.

    Attributes:
        good: How many messages of each topic could be read.
        bad: How many went to quarantine.
        unaccounted: Of each topic, how many offsets are in the accounts twice or never.
        positions: Up to where each partition is accounted for.
        newest: Kafka's time of each topic's newest message.
    """

    good: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    unaccounted: Counter[str] = field(default_factory=Counter)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    newest: dict[str, dt.datetime] = field(default_factory=dict)

    @property
    def newest_at(self) -> dt.datetime | None:
        return max(self.newest.values(), default=None)

    def since(self, before: "Audited") -> dict[str, Any]:
        """What came since then, as the job's result."""
        tables = {table.name: self.good[topic] - before.good[topic] for topic, table in TOPICS.items()}
        quarantined = self.bad.total() - before.bad.total()
        return {"rows": sum(tables.values()), "quarantined": quarantined, "tables": tables}


def read_audited(spark: SparkSession, lake: Lake) -> Audited:
    audit = spark.read.format("delta").load(lake.path(INGEST_AUDIT))
    # A lake that an earlier version made has no such column until the next batch.
    newest_at = F.max("newest_at") if "newest_at" in audit.columns else F.lit(None).cast("timestamp")
    totals = audit.groupBy("topic", "partition").agg(
        F.sum("bronze_rows").alias("good"),
        F.sum("quarantine_rows").alias("bad"),
        (F.max("last_offset") + 1).alias("position"),
        F.sum(F.col("last_offset") - F.col("first_offset") + 1).alias("covered"),
        F.unix_millis(newest_at).alias("newest_ms"),
    )
    audited = Audited()
    for total in totals.collect():
        audited.good[total.topic] += total.good
        audited.bad[total.topic] += total.bad
        audited.unaccounted[total.topic] += abs(total.position - total.covered)
        audited.positions[total.topic, total.partition] = total.position
        if total.newest_ms is not None:
            at = _moment(total.newest_ms)
            audited.newest[total.topic] = max(audited.newest.get(total.topic, at), at)
    return audited


def _moment(millis: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(millis / 1_000, dt.UTC)


def check_age(before: Audited, after: Audited, max_age_minutes: int) -> None:
    """Fails where nothing has arrived for too long. Where something has, it is for others to use first.

    Raises:
        StaleBronzeError: The newest message is older than that.
    """
    if max_age_minutes and after.newest_at is not None and (after.good, after.bad) == (before.good, before.bad):
        age = (dt.datetime.now(dt.UTC) - after.newest_at).total_seconds() / 60
        if age > max_age_minutes:
            raise StaleBronzeError(
                f"a message is required every {max_age_minutes} minutes, and the newest in bronze is {age:.0f} minutes "
                f"old ({after.newest_at:%Y-%m-%d %H:%M} UTC): see whether the shop still sends to Kafka"
            )
