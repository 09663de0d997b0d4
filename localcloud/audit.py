"""`localcloud audit`: whether every event that Kafka has is in the lake, exactly once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # there, and documented
from rich.console import Console
from rich.table import Column, Table

from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.services.kafka import TOPICS, bootstrap_servers

if TYPE_CHECKING:
    import pyarrow as pa

READABLE = ("customers_changes", "books_changes", "order_events")
QUARANTINE = "quarantine"
ANSWER_SECONDS = 10

Query = Callable[[str], "pa.Table"]


class Partition(NamedTuple):
    """A part of a topic, which numbers its messages from offset 0."""

    topic: str
    partition: int


@dataclass(frozen=True)
class Stored:
    """What the lake has of a partition.

    Attributes:
        bronze: Rows of messages that can be read.
        quarantine: Rows of those that can't.
        offsets: How many offsets these rows have, each counted once.
        explained: Offsets that have no row, and a reason in `ops.ingest_audit`.
        reached: The offset up to which ingest has come.
    """

    bronze: int = 0
    quarantine: int = 0
    offsets: int = 0
    explained: int = 0
    reached: int = 0


def produced_offsets(servers: str, topics: Iterable[str] = TOPICS) -> dict[Partition, int]:
    """How many offsets each partition has given out, those of open transactions left out of account.

    Raises:
        LocalCloudError: The broker does not answer.
    """
    # An unreachable broker is reported by the error below, once.
    admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
    try:
        known = admin.list_topics(timeout=ANSWER_SECONDS).topics
        ends = {
            TopicPartition(topic, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
            for topic in topics
            if topic in known
            for number in known[topic].partitions
        }
        answers = admin.list_offsets(
            ends, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ANSWER_SECONDS
        )
        return {Partition(end.topic, end.partition): answer.result().offset for end, answer in answers.items()}
    except KafkaException as error:
        raise LocalCloudError(
            f"a Kafka broker is required at {servers}, and it did not answer ({error.args[0].str()}): run `make up`"
        ) from None


def stored_rows(ask: Query) -> dict[Partition, Stored]:
    """What the lake has of every partition; tables that no ingest has written yet count as empty."""
    found: dict[Partition, dict[str, int]] = {}
    for statement in _statements(ask):
        for row in ask(statement).to_pylist():
            place = Partition(row.pop("topic"), row.pop("partition"))
            found.setdefault(place, {}).update(row)
    return {place: Stored(**counts) for place, counts in found.items()}


def fault(produced: int, stored: Stored) -> str | None:
    """What is wrong with a partition and what to do about it, or None."""
    repeated = stored.bronze + stored.quarantine - stored.offsets
    accounted = stored.offsets + stored.explained
    waiting = max(produced - stored.reached, 0)
    lost = produced - waiting - accounted
    if repeated:
        return f"{repeated} rows repeat an offset: group bronze and quarantine by topic, partition, offset to see which"
    if lost < 0:
        return f"{-lost} offsets more than Kafka has given out: was the topic made anew? Then this lake is another's"
    if lost:
        return (
            f"{lost} offsets without row and reason: see ops.ingest_audit for the batch, then ingest with full_refresh"
        )
    if waiting:
        return f"{waiting} offsets wait: trigger the DAG ingest_events"
    return None


def audit(home: Annotated[Path, typer.Option(help="The local cloud's folder.")] = Path(".localcloud")) -> None:
    """Compare what Kafka has with bronze and quarantine, offset by offset. Exit code 1 where they differ."""
    from localcloud.databricks.sql import query

    cloud = Home(home.absolute())
    if not cloud.exists:
        raise LocalCloudError(
            f"a local cloud is required in {cloud.root}, and there is none: run `localcloud up` first"
        )
    # The lake first: what arrives meanwhile waits for the next ingest, and does not look like rows out of nowhere.
    stored = stored_rows(partial(query, cloud))
    produced = produced_offsets(bootstrap_servers(cloud))
    if not _show(produced, stored):
        raise typer.Exit(1)


def _statements(ask: Query) -> list[str]:
    bronze = _tables(ask, "bronze")
    unions = [
        f"SELECT topic, partition, offset, {str(table != QUARANTINE).lower()} AS is_readable FROM bronze.{table}"
        for table in (*READABLE, QUARANTINE)
        if table in bronze
    ]
    rows = f"""
        SELECT topic, partition, count(DISTINCT offset) AS offsets,
            count_if(is_readable) AS bronze, count_if(NOT is_readable) AS quarantine
        FROM ({" UNION ALL ".join(unions)}) GROUP BY topic, partition"""
    batches = """
        SELECT topic, partition, max(last_offset) + 1 AS reached,
            coalesce(sum(missing_offsets) FILTER (WHERE missing_reason IS NOT NULL), 0) AS explained
        FROM ops.ingest_audit GROUP BY topic, partition"""
    return [rows] * bool(unions) + [batches] * ("ingest_audit" in _tables(ask, "ops"))


def _tables(ask: Query, schema: str) -> set[str]:
    names: list[str] = ask(f"SHOW TABLES IN {schema}").column("tableName").to_pylist()
    return set(names)


def _show(produced: Mapping[Partition, int], stored: Mapping[Partition, Stored]) -> bool:
    """Prints a line for each partition, and whether all is well."""
    table = Table(
        "topic", "partition", *[_right(name) for name in ("produced", "bronze", "quarantine", "explained")], ""
    )
    faults = 0
    for place in sorted({*produced, *stored}):
        one = stored.get(place, Stored())
        wrong = fault(produced.get(place, 0), one)
        faults += wrong is not None
        counts = (produced.get(place, 0), one.bronze, one.quarantine, one.explained)
        verdict = f"[red]{wrong}[/red]" if wrong else "[green]✓[/green]"
        table.add_row(place.topic, str(place.partition), *[f"{count:,}" for count in counts], verdict)
    console = Console(soft_wrap=True)
    console.print(table)
    console.print(f"{faults} of {table.row_count} partitions don't add up." if faults else "Every event, exactly once.")
    return not faults


def _right(name: str) -> Column:
    return Column(name, justify="right")
