"""What is new in messages: recorded once, in `ops.schema_changes`, with the message where it was seen first."""

import datetime as dt
from collections.abc import Collection, Mapping
from functools import reduce
from typing import NamedTuple, Protocol

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from spark_jobs.lake import Lake
from spark_jobs.tables import OFFSET, ORDERS, SCHEMA_CHANGES, Table, types
from spark_jobs.transforms.new_fields import OTHERS, can_be_column, entries, has_others

ADDED = "added"
"""A new field, which is a column of text from then on."""
IGNORED = "ignored"
"""A new field that `value` alone has: its name can't be a column's, or is another's, or the topic has too many."""
CHANGED = "changed"
"""A field of another type than its column can hold: such messages are in quarantine."""

MOST_FIELDS = 100
"""Of a topic: beyond that somebody writes names where values belong."""
_MOST_AT_ONCE = 200
_OUR_NAMES = {"is_deleted", "others", "reason", "valid_from", "valid_to", "is_current", *types(ORDERS.columns)}
"""What the steps behind bronze call their own columns."""


class Append(Protocol):
    """Writes rows once per batch."""

    @property
    def lake(self) -> Lake: ...

    @property
    def batch_name(self) -> str: ...

    def __call__(self, table: Table, rows: DataFrame) -> None: ...


class SchemaChange(NamedTuple):
    """One change, which is recorded once."""

    topic: str
    field: str
    change: str


Changes = Collection[SchemaChange]


def read_changes_seen(spark: SparkSession, lake: Lake) -> frozenset[SchemaChange]:
    """Those that are recorded."""
    rows = spark.read.format("delta").load(lake.path(SCHEMA_CHANGES)).select(*SchemaChange._fields)
    return frozenset(SchemaChange(*row) for row in rows.collect())


def fields_of(topic: str, seen: Changes, *changes: str) -> list[str]:
    """The topic's fields of which one of these changes is recorded."""
    return sorted(each.field for each in seen if each.topic == topic and each.change in changes)


def is_news(row: Collection[str], topic: str, seen: Changes) -> Column:
    """Whether a message has a change that isn't recorded.

    Args:
        row: The fields that its topic always had.
        topic: Its name.
        seen: What is recorded.
    """
    known = [*row, *fields_of(topic, seen, ADDED, IGNORED)]
    changed, told = _unreadable_field(), fields_of(topic, seen, CHANGED)
    is_change = changed.isin(*row) & ~changed.isin(*told)
    is_unknown = F.when(F.col("reason_code").isNull(), has_others(F.col(OTHERS), known)).otherwise(is_change)
    return F.coalesce(F.when(F.col(OTHERS).isNotNull(), is_unknown), F.lit(False))


def _unreadable_field() -> Column:
    """The field that a message was quarantined for, as its reason names it."""
    reason = F.col("reason")
    named = F.regexp_extract(reason, r"^(\w+) must be ", 1)
    return F.when(reason.startswith("a line's field"), F.lit("lines")).otherwise(named)


def record_news(
    read: Mapping[str, DataFrame], fields: Mapping[str, Collection[str]], table_of: Mapping[str, Table], append: Append
) -> frozenset[SchemaChange]:
    """Records what is new in messages, and returns all that is recorded.

    Args:
        read: Of each topic with news, the messages as they were read.
        fields: Of each topic, those that it always had.
        table_of: Where its messages go.
        append: Writes rows once, however often the batch is repeated.
    """
    spark = next(iter(read.values())).sparkSession
    seen = read_changes_seen(spark, append.lake)
    found = reduce(DataFrame.unionAll, (_news(messages, fields[topic]) for topic, messages in read.items()))
    first = F.min(F.struct("partition", "offset", "type")).alias("first")
    grouped = found.groupBy("topic", "field", "is_unreadable").agg(first).orderBy("first", "topic", "field")
    new: dict[SchemaChange, Row] = {}
    for row in grouped.limit(_MOST_AT_ONCE).collect():
        change = _judged(row, table_of[row.topic], {*seen, *new})
        if change not in seen:
            new[change] = row.first
    if new:
        append(SCHEMA_CHANGES, _as_rows(spark, new, append.batch_name))
    return seen | new.keys()


def _news(messages: DataFrame, fields: Collection[str]) -> DataFrame:
    """The fields that are new, or that a message was quarantined for."""
    is_unreadable = F.col("reason_code").isNotNull().alias("is_unreadable")
    found = entries(messages.select(*OFFSET, is_unreadable, _unreadable_field().alias("unreadable"), OTHERS))
    is_known = F.col("field").isin(*fields)
    is_news = F.when(F.col("is_unreadable"), is_known & (F.col("field") == F.col("unreadable"))).otherwise(~is_known)
    return found.where(is_news).drop("unreadable")


def _judged(row: Row, table: Table, seen: Changes) -> SchemaChange:
    """What becomes of a field."""
    if row.is_unreadable:
        return SchemaChange(row.topic, row.field, CHANGED)
    added, ignored = (fields_of(row.topic, seen, change) for change in (ADDED, IGNORED))
    taken = {name.lower() for name in (*types(table.columns), *_OUR_NAMES, *added)}
    is_free = can_be_column(row.field) and row.field.lower() not in taken and len(added) < MOST_FIELDS
    is_added = row.field not in ignored and (row.field in added or is_free)
    return SchemaChange(row.topic, row.field, ADDED if is_added else IGNORED)


def _as_rows(spark: SparkSession, new: Mapping[SchemaChange, Row], batch: str) -> DataFrame:
    now = dt.datetime.now(dt.UTC)
    rows = [(*change, first.type, first.partition, first.offset, batch, now) for change, first in new.items()]
    return spark.createDataFrame(rows, SCHEMA_CHANGES.columns)
