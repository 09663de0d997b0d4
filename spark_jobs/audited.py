"""What `ops.ingest_audit` knows of all batches so far, in one statement."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.bronze import TOPICS
from spark_jobs.checkpoints import TopicPartition
from spark_jobs.errors import StaleBronzeError
from spark_jobs.lake import Lake
from spark_jobs.tables import INGEST_AUDIT, QUARANTINE


@dataclass(frozen=True)
class Audited:
    """The sum of all batches.

    Attributes:
        rows: How many rows each table has been given, by its name.
        positions: Up to where each partition is accounted for.
        newest_at: Kafka's time of the newest message.
    """

    rows: Counter[str]
    positions: dict[TopicPartition, int]
    newest_at: dt.datetime | None

    def since(self, before: "Audited") -> dict[str, Any]:
        """What came since then, as the job's result."""
        rows = Counter(self.rows)
        rows.subtract(before.rows)
        quarantined = rows.pop(QUARANTINE.name)
        return {"rows": rows.total(), "quarantined": quarantined, "tables": dict(rows)}


def read_audited(spark: SparkSession, lake: Lake) -> Audited:
    audit = spark.read.format("delta").load(lake.path(INGEST_AUDIT))
    # A lake that an earlier version made has no such column until the next batch.
    newest_at = F.max("newest_at") if "newest_at" in audit.columns else F.lit(None).cast("timestamp")
    totals = audit.groupBy("topic", "partition").agg(
        F.sum("bronze_rows").alias("good"),
        F.sum("quarantine_rows").alias("bad"),
        (F.max("last_offset") + 1).alias("position"),
        F.unix_millis(newest_at).alias("newest_ms"),
    )
    rows = Counter({table.name: 0 for table in (*TOPICS.values(), QUARANTINE)})
    positions: dict[TopicPartition, int] = {}
    newest_ms: list[int] = []
    for total in totals.collect():
        rows.update({TOPICS[total.topic].name: total.good, QUARANTINE.name: total.bad})
        positions[total.topic, total.partition] = total.position
        newest_ms += [total.newest_ms] if total.newest_ms is not None else []
    return Audited(rows, positions, _moment(max(newest_ms)) if newest_ms else None)


def _moment(millis: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(millis / 1_000, dt.UTC)


def check_age(before: Audited, after: Audited, max_age_minutes: int) -> None:
    """Fails where nothing has arrived for too long. Where something has, it is for others to use first.

    Raises:
        StaleBronzeError: The newest message is older than that.
    """
    if max_age_minutes and after.newest_at is not None and after.rows == before.rows:
        age = (dt.datetime.now(dt.UTC) - after.newest_at).total_seconds() / 60
        if age > max_age_minutes:
            raise StaleBronzeError(
                f"a message is required every {max_age_minutes} minutes, and the newest in bronze is {age:.0f} minutes "
                f"old ({after.newest_at:%Y-%m-%d %H:%M} UTC): see whether the shop still sends to Kafka"
            )
