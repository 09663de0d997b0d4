"""Kafka's topics to the bronze tables: every message once, in bronze or in quarantine."""

import dataclasses
import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession

from spark_jobs.audited import Audited, check_age, read_audited
from spark_jobs.bronze import Bronze, write_batch
from spark_jobs.checkpoints import has_begun
from spark_jobs.entry import run_job
from spark_jobs.errors import ArgumentError
from spark_jobs.expectations import Limits, check, keep, sentences
from spark_jobs.kafka import Kafka, password_for, stream_topic
from spark_jobs.lake import Lake
from spark_jobs.lost_messages import is_aged, is_recreated, loss, lost_ranges, recreation
from spark_jobs.progress import tell
from spark_jobs.recovery import Positions, recover, starting_offsets
from spark_jobs.schema_changes import read_changes_seen
from spark_jobs.streams import drain, follow
from spark_jobs.tables import EXPECTATIONS, INGEST_AUDIT, QUARANTINE, SCHEMA_CHANGES
from spark_jobs.topics import TOPICS, read_topics

STEP = "ingest_events"
LOST_MESSAGES = ("stop", "record")
_EVERY = "1 second"


@dataclass(frozen=True)
class Config:
    """Arguments of the job.

    Attributes:
        kafka_bootstrap_servers: As `host:port`, several with commas between.
        kafka_security_protocol: Like the next three, see `spark_jobs.kafka.Kafka`; the password is in the environment.
        currency: The only one that orders may have.
        max_offsets_per_trigger: Messages of a topic in a batch, at most: bounds what is held in memory.
        realtime: Whether to stay and take messages as they arrive.
        realtime_minutes: How long to stay; then the next run takes over.
        lost_messages: What to do where Kafka deleted messages that were not read yet: `stop`, or `record` the gap.
        max_age_minutes: How old the newest message in bronze may be when nothing new arrives; 0: any age.
        max_quarantined_percent: How much of a run's messages of a topic may be unreadable without being reported.
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
    realtime: bool = False
    realtime_minutes: int = 50
    lost_messages: str = "stop"
    max_age_minutes: int = 0
    max_quarantined_percent: int = 10

    def __post_init__(self) -> None:
        if self.lost_messages not in LOST_MESSAGES:
            raise ArgumentError(
                f"--lost_messages must be one of {', '.join(LOST_MESSAGES)}, found {self.lost_messages!r}"
            )


def run(spark: SparkSession, config: Config) -> dict[str, Any]:
    _kafka(config)  # refuses what can't work before anything is paid for
    lake = Lake(config.lake_root, config.catalog)
    tables = (*TOPICS.values(), QUARANTINE, INGEST_AUDIT, SCHEMA_CHANGES, EXPECTATIONS)
    is_new = len(lake.create(spark, *tables)) == len(tables)
    before = read_audited(spark, lake)
    seen = read_changes_seen(spark, lake)
    bronze = Bronze(lake, lake.checkpoint(STEP), before.positions, seen=seen)
    begin: Positions = {}
    if not is_new and not has_begun(spark, bronze.checkpoint):
        bronze, begin = _recovered(spark, config, bronze)
    lost = _ingest(spark, config, bronze, begin)
    after = read_audited(spark, lake)
    unmet = _unmet(spark, lake, before, after, config)
    check_age(before, after, config.max_age_minutes)
    return after.since(before) | ({"lost": lost} if lost else {}) | ({"unmet": unmet} if unmet else {})


def _unmet(spark: SparkSession, lake: Lake, before: Audited, after: Audited, config: Config) -> list[str]:
    """Keeps what became of the expectations; says and returns which weren't met."""
    limits = Limits(config.max_quarantined_percent, config.max_age_minutes)
    outcomes = check(before, after, limits, dt.datetime.now(dt.UTC))
    if outcomes:
        keep(spark, lake, outcomes)
    unmet = sentences(outcomes)
    for sentence in unmet:
        _say(sentence)
    return unmet


def _recovered(spark: SparkSession, config: Config, bronze: Bronze) -> tuple[Bronze, Positions]:
    """Where to begin, now that the tables are older than the checkpoint."""
    began_at = recover(spark, _kafka(config), bronze, config.currency)
    if not began_at:  # nothing was ever read
        return bronze, {}
    reached = ", ".join(f"{topic}-{partition}: {offset}" for (topic, partition), offset in sorted(began_at.items()))
    _say(f"the checkpoint {bronze.checkpoint} is gone: going on where the tables end ({reached})")
    return dataclasses.replace(bronze, began_at=began_at), starting_offsets(spark, _kafka(config), began_at)


def _ingest(spark: SparkSession, config: Config, bronze: Bronze, begin: Positions) -> str | None:
    """Reads the topics; returns what had been lost, where the configuration says to go on without it."""
    try:
        _read(spark, config, bronze, begin, fail_on_data_loss=True)
    except StreamingQueryException as error:
        message = str(error)
        if is_recreated(message):
            raise recreation(message) from error
        if not is_aged(message):
            raise
        positions = {**bronze.began_at, **read_audited(spark, bronze.lake).positions}
        lost = lost_ranges(spark, _kafka(config), positions, message)
        if not lost:
            raise
        if config.lost_messages == "stop":
            raise loss(lost) from error
        _say(str(loss(lost)))
        _read(spark, config, dataclasses.replace(bronze, lost=tuple(lost)), begin, fail_on_data_loss=False)
        return str(loss(lost))
    return None


def _read(spark: SparkSession, config: Config, bronze: Bronze, begin: Positions, *, fail_on_data_loss: bool) -> None:
    """The topics in one stream, each from a source of its own: so none is read for the sake of another."""
    stream = partial(stream_topic, spark, _kafka(config), begin=begin, fail_on_data_loss=fail_on_data_loss)
    messages = {topic: stream(topic, config.max_offsets_per_trigger) for topic in TOPICS}
    _hand_over(read_topics(messages, config.currency), config, bronze)


def _hand_over(read: DataFrame, config: Config, bronze: Bronze) -> None:
    write = partial(write_batch, bronze=bronze)
    if config.realtime:
        is_over = time_is_over(config.realtime_minutes)
        follow(read, bronze.checkpoint, write, tell, every=_EVERY, is_over=is_over)
    else:
        drain(read, bronze.checkpoint, write, tell)


def time_is_over(minutes: int) -> Callable[[], bool]:
    """Tells whether so much time has passed since."""
    deadline = time.monotonic() + 60 * minutes
    return lambda: time.monotonic() > deadline


def _kafka(config: Config) -> Kafka:
    return Kafka(
        config.kafka_bootstrap_servers,
        config.kafka_security_protocol,
        config.kafka_sasl_mechanism,
        config.kafka_username,
        config.kafka_ca_file,
        password_for(config.kafka_security_protocol),
    )


def _say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201 - the run's log


def main(argv: Sequence[str] | None = None) -> None:
    run_job(STEP, Config, run, argv)


if __name__ == "__main__":
    main()
