"""Kafka's topics to the bronze tables: every message once, in bronze or in quarantine."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.bronze import TOPICS, Bronze, write_batch
from spark_jobs.entry import run_job
from spark_jobs.kafka import Kafka, password_for, read_topics
from spark_jobs.lake import Lake
from spark_jobs.streams import drain
from spark_jobs.tables import INGEST_AUDIT, QUARANTINE

STEP = "ingest_events"


@dataclass(frozen=True)
class Config:
    """Arguments of the job.

    Attributes:
        kafka_bootstrap_servers: As `host:port`, several with commas between.
        kafka_security_protocol: Like the next three, see `spark_jobs.kafka.Kafka`; the password is in the environment.
        currency: The only one that orders may have.
        max_offsets_per_trigger: Messages of a batch, at most: bounds what is held in memory.
    """

    lake_root: str
    kafka_bootstrap_servers: str
    catalog: str = ""
    kafka_security_protocol: str = "PLAINTEXT"
    kafka_sasl_mechanism: str = "PLAIN"
    kafka_username: str = ""
    kafka_ca_file: str = ""
    currency: str = "EUR"
    max_offsets_per_trigger: int = 250_000


def run(spark: SparkSession, config: Config) -> dict[str, Any]:
    kafka = _kafka(config)
    lake = Lake(config.lake_root, config.catalog)
    lake.create(spark, *TOPICS.values(), QUARANTINE, INGEST_AUDIT)
    bronze = Bronze(lake, lake.checkpoint(STEP), config.currency)
    before = _audited_rows(spark, lake)
    messages = read_topics(spark, kafka, list(TOPICS), config.max_offsets_per_trigger)
    drain(messages, bronze.checkpoint, partial(write_batch, bronze=bronze))
    rows = _audited_rows(spark, lake)
    rows.subtract(before)
    quarantined = rows.pop(QUARANTINE.name)
    return {"rows": rows.total(), "quarantined": quarantined, "tables": dict(rows)}


def _kafka(config: Config) -> Kafka:
    return Kafka(
        config.kafka_bootstrap_servers,
        config.kafka_security_protocol,
        config.kafka_sasl_mechanism,
        config.kafka_username,
        config.kafka_ca_file,
        password_for(config.kafka_security_protocol),
    )


def _audited_rows(spark: SparkSession, lake: Lake) -> Counter[str]:
    """How many rows each table has been given, by its name."""
    audit = lake.read(spark, INGEST_AUDIT)
    totals = audit.groupBy("topic").agg(F.sum("bronze_rows").alias("good"), F.sum("quarantine_rows").alias("bad"))
    rows = Counter({table.name: 0 for table in (*TOPICS.values(), QUARANTINE)})
    for total in totals.collect():
        rows.update({TOPICS[total.topic].name: total.good, QUARANTINE.name: total.bad})
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    run_job(STEP, Config, run, argv)


if __name__ == "__main__":
    main()
