"""Reads what the page says about the data's way: events in, rows out, and what ran when."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from itertools import chain
from typing import TypeVar

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.lake import Lake
from spark_jobs.report.content import Commit, FieldChange, Pipeline, TableState, TopicFunnel
from spark_jobs.tables import (
    BOOKS_CHANGES,
    BOOKS_HISTORY,
    CUSTOMER_ORDERS,
    CUSTOMER_SEGMENTS,
    CUSTOMER_VALUE,
    CUSTOMERS,
    CUSTOMERS_CHANGES,
    DRIFT,
    INGEST_AUDIT,
    KMEANS_MODELS,
    ORDER_EVENTS,
    ORDER_LINE_ITEMS,
    ORDERS,
    QUARANTINE,
    RECOMMENDATIONS,
    RFM,
    SCHEMA_CHANGES,
    Table,
)

Result = TypeVar("Result")

_BRONZE = (CUSTOMERS_CHANGES, BOOKS_CHANGES, ORDER_EVENTS)
_SILVER = (CUSTOMERS, BOOKS_HISTORY, ORDERS, ORDER_LINE_ITEMS)
_GOLD = (CUSTOMER_ORDERS, RFM, CUSTOMER_SEGMENTS, KMEANS_MODELS, DRIFT, CUSTOMER_VALUE, RECOMMENDATIONS)
# The column whose greatest value says how fresh a table is.
_NEWEST = dict.fromkeys((*_BRONZE, QUARANTINE), "ingested_at") | {
    CUSTOMERS: "updated_at",
    BOOKS_HISTORY: "updated_at",
    ORDERS: "updated_at",
    ORDER_LINE_ITEMS: "ordered_at",
}
_COMMITS_PER_TABLE = 6
# One statement on a small table leaves cores idle.
_AT_ONCE = 4
_COMMITS = 30
_CHANGES = 20
_MINUTE = "yyyy-MM-dd HH:mm"
_MERGED_ROWS = ("numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted")


def read_pipeline(spark: SparkSession, lake: Lake) -> Pipeline:
    """A table that nobody has written yet is left out."""
    tables = _written(spark, lake)
    quarantine = _quarantine(tables)
    # What is written with bronze would tell the same twice.
    told = [table for table in tables if table not in {INGEST_AUDIT, SCHEMA_CHANGES}]
    commits = _side_by_side(lambda table: _commits(spark, lake, table), told)
    return Pipeline(
        funnel=_funnel(tables, quarantine),
        quarantine=quarantine,
        changes=_changes(tables),
        states=_states(tables),
        commits=tuple(_newest(chain.from_iterable(commits))),
    )


def _written(spark: SparkSession, lake: Lake) -> dict[Table, DataFrame]:
    tables = (*_BRONZE, QUARANTINE, INGEST_AUDIT, SCHEMA_CHANGES, *_SILVER, *_GOLD)
    read = _side_by_side(lambda table: lake.find(spark, table), tables)
    return {table: rows for table, rows in zip(tables, read, strict=True) if rows is not None}


def _side_by_side(act: Callable[[Table], Result], tables: Iterable[Table]) -> list[Result]:
    with ThreadPoolExecutor(_AT_ONCE) as executor:
        return list(executor.map(act, tables))


def _states(tables: Mapping[Table, DataFrame]) -> tuple[TableState, ...]:
    each = [_state(tables[table], table, column) for table, column in _NEWEST.items() if table in tables]
    if not each:
        return ()
    # One statement for all: on small tables its fixed cost is what takes time.
    rows = reduce(DataFrame.unionAll, each).orderBy("name").collect()
    return tuple(TableState(row["name"], row["rows"], row["newest"]) for row in rows)


def _state(rows: DataFrame, table: Table, column: str) -> DataFrame:
    newest = F.coalesce(F.date_format(F.max(column), _MINUTE), F.lit(""))
    return rows.agg(F.lit(_name(table)).alias("name"), F.count("*").alias("rows"), newest.alias("newest"))


def _quarantine(tables: Mapping[Table, DataFrame]) -> tuple[tuple[str, str, int], ...]:
    if QUARANTINE not in tables:
        return ()
    by_reason = tables[QUARANTINE].groupBy("topic", "reason_code").agg(F.count("*").alias("events"))
    ordered = by_reason.orderBy(F.desc("events"), "topic", "reason_code").collect()
    return tuple((row["topic"], row["reason_code"], row["events"]) for row in ordered)


def _changes(tables: Mapping[Table, DataFrame]) -> tuple[FieldChange, ...]:
    """The newest ones."""
    if SCHEMA_CHANGES not in tables:
        return ()
    newest = tables[SCHEMA_CHANGES].orderBy(F.desc("seen_at"), "topic", "field").limit(_CHANGES)
    place = F.concat(F.col("partition"), F.lit(" / "), F.col("offset"))
    rows = newest.select("topic", "field", "change", "type", place, F.date_format("seen_at", _MINUTE)).collect()
    return tuple(FieldChange(*row) for row in rows)


def _funnel(tables: Mapping[Table, DataFrame], quarantine: Iterable[tuple[str, str, int]]) -> tuple[TopicFunnel, ...]:
    if INGEST_AUDIT not in tables:
        return ()
    offsets = F.sum(F.col("last_offset") - F.col("first_offset") + 1)
    audit = tables[INGEST_AUDIT].groupBy("topic")
    rows = audit.agg(offsets.alias("produced"), F.sum("missing_offsets").alias("missing")).orderBy("topic").collect()
    in_bronze = _by_topic([tables[table] for table in _BRONZE if table in tables])
    in_quarantine: Counter[str] = Counter()
    for topic, _, events in quarantine:
        in_quarantine[topic] += events
    return tuple(
        TopicFunnel(
            topic=row["topic"],
            produced=row["produced"],
            bronze=in_bronze.get(row["topic"], 0),
            quarantine=in_quarantine[row["topic"]],
            not_events=row["missing"],
        )
        for row in rows
    )


def _by_topic(tables: Iterable[DataFrame]) -> dict[str, int]:
    topics = [rows.select("topic") for rows in tables]
    if not topics:
        return {}
    counted = reduce(DataFrame.unionAll, topics).groupBy("topic").agg(F.count("*").alias("events")).collect()
    return {row["topic"]: row["events"] for row in counted}


def _commits(spark: SparkSession, lake: Lake, table: Table) -> list[Commit]:
    history = spark.sql(f"DESCRIBE HISTORY delta.`{lake.path(table)}` LIMIT {_COMMITS_PER_TABLE}")
    rows = history.select(F.date_format("timestamp", _MINUTE).alias("at"), "operation", "operationMetrics").collect()
    return [Commit(row["at"], _name(table), row["operation"], _rows(row["operationMetrics"])) for row in rows]


def _rows(metrics: Mapping[str, str] | None) -> int | None:
    """Rows that a commit wrote or, in a MERGE, changed: its output has rows that were only copied."""
    metrics = metrics or {}
    merged = [int(metrics[name]) for name in _MERGED_ROWS if name in metrics]
    if merged:
        return sum(merged)
    return int(metrics["numOutputRows"]) if "numOutputRows" in metrics else None


def _name(table: Table) -> str:
    return f"{table.layer}.{table.name}"


def _newest(commits: Iterable[Commit]) -> list[Commit]:
    return sorted(commits, key=lambda commit: commit.at, reverse=True)[:_COMMITS]
