"""Reads what the page says about the data's way: events in, rows out, and what ran when."""

from collections.abc import Iterable, Iterator, Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.lake import Lake
from spark_jobs.report.content import Commit, Pipeline, TableState, TopicFunnel
from spark_jobs.tables import (
    BOOKS_CHANGES,
    BOOKS_HISTORY,
    CUSTOMER_ORDERS,
    CUSTOMER_SEGMENTS,
    CUSTOMERS,
    CUSTOMERS_CHANGES,
    INGEST_AUDIT,
    KMEANS_MODELS,
    ORDER_EVENTS,
    ORDER_LINE_ITEMS,
    ORDERS,
    QUARANTINE,
    RFM,
    Table,
)

_BRONZE = (CUSTOMERS_CHANGES, BOOKS_CHANGES, ORDER_EVENTS)
_SILVER = (CUSTOMERS, BOOKS_HISTORY, ORDERS, ORDER_LINE_ITEMS)
_GOLD = (CUSTOMER_ORDERS, RFM, CUSTOMER_SEGMENTS, KMEANS_MODELS)
# The column whose greatest value says how fresh a table is.
_NEWEST = dict.fromkeys((*_BRONZE, QUARANTINE), "ingested_at") | {
    CUSTOMERS: "updated_at",
    BOOKS_HISTORY: "updated_at",
    ORDERS: "updated_at",
    ORDER_LINE_ITEMS: "ordered_at",
}
_COMMITS_PER_TABLE = 6
_COMMITS = 30
_MINUTE = "yyyy-MM-dd HH:mm"
_MERGED_ROWS = ("numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted")


def read_pipeline(spark: SparkSession, lake: Lake) -> Pipeline:
    """A table that nobody has written yet is left out."""
    written = [table for table in (*_BRONZE, QUARANTINE, *_SILVER, *_GOLD) if lake.exists(spark, table)]
    states = tuple(_state(lake.read(spark, table), table) for table in written if table in _NEWEST)
    quarantine = _quarantine(lake.read(spark, QUARANTINE)) if QUARANTINE in written else ()
    return Pipeline(
        funnel=_funnel(spark, lake, quarantine, bronze=[table for table in written if table in _BRONZE]),
        quarantine=quarantine,
        states=states,
        commits=tuple(_newest(commit for table in written for commit in _commits(spark, lake, table))),
    )


def _state(rows: DataFrame, table: Table) -> TableState:
    newest = F.date_format(F.max(_NEWEST[table]), _MINUTE)
    row = rows.agg(F.count("*").alias("rows"), F.coalesce(newest, F.lit("")).alias("newest")).collect()[0]
    return TableState(f"{table.layer}.{table.name}", row["rows"], row["newest"])


def _quarantine(rows: DataFrame) -> tuple[tuple[str, str, int], ...]:
    by_reason = rows.groupBy("topic", "reason_code").agg(F.count("*").alias("events"))
    ordered = by_reason.orderBy(F.desc("events"), "topic", "reason_code").collect()
    return tuple((row["topic"], row["reason_code"], row["events"]) for row in ordered)


def _funnel(
    spark: SparkSession, lake: Lake, quarantine: Iterable[tuple[str, str, int]], bronze: Iterable[Table]
) -> tuple[TopicFunnel, ...]:
    if not lake.exists(spark, INGEST_AUDIT):
        return ()
    audit = lake.read(spark, INGEST_AUDIT).groupBy("topic")
    offsets = F.sum(F.col("last_offset") - F.col("first_offset") + 1)
    rows = audit.agg(offsets.alias("produced"), F.sum("missing_offsets").alias("missing")).orderBy("topic").collect()
    in_bronze = dict(_counts_by_topic(lake.read(spark, table) for table in bronze))
    in_quarantine: dict[str, int] = {}
    for topic, _, events in quarantine:
        in_quarantine[topic] = in_quarantine.get(topic, 0) + events
    return tuple(
        TopicFunnel(
            topic=row["topic"],
            produced=row["produced"],
            bronze=in_bronze.get(row["topic"], 0),
            quarantine=in_quarantine.get(row["topic"], 0),
            not_events=row["missing"] or 0,
        )
        for row in rows
    )


def _counts_by_topic(tables: Iterable[DataFrame]) -> Iterator[tuple[str, int]]:
    for rows in tables:
        for row in rows.groupBy("topic").agg(F.count("*").alias("events")).collect():
            yield row["topic"], row["events"]


def _commits(spark: SparkSession, lake: Lake, table: Table) -> list[Commit]:
    history = spark.sql(f"DESCRIBE HISTORY delta.`{lake.path(table)}` LIMIT {_COMMITS_PER_TABLE}")
    rows = history.select(F.date_format("timestamp", _MINUTE).alias("at"), "operation", "operationMetrics").collect()
    name = f"{table.layer}.{table.name}"
    return [Commit(row["at"], name, row["operation"], _rows(row["operationMetrics"])) for row in rows]


def _rows(metrics: Mapping[str, str] | None) -> int | None:
    """Rows that a commit wrote or, in a MERGE, changed: its output has rows that were only copied."""
    metrics = metrics or {}
    merged = [int(metrics[name]) for name in _MERGED_ROWS if name in metrics]
    if merged:
        return sum(merged)
    return int(metrics["numOutputRows"]) if "numOutputRows" in metrics else None


def _newest(commits: Iterable[Commit]) -> list[Commit]:
    return sorted(commits, key=lambda commit: commit.at, reverse=True)[:_COMMITS]
