"""Kafka's topics: what each carries, and how all of them are read in one plan."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.tables import (
    ARRIVAL,
    BOOK_ROW,
    BOOKS_CHANGES,
    CUSTOMER_ROW,
    CUSTOMERS_CHANGES,
    ORDER_EVENTS,
    ORDER_ROW,
    Table,
    types,
)
from spark_jobs.transforms.changes import BOOK_CHANGES, CUSTOMER_CHANGES, read_changes
from spark_jobs.transforms.new_fields import OTHERS
from spark_jobs.transforms.order_events import read_order_events

TOPICS: dict[str, Table] = {
    "bookstore.customers": CUSTOMERS_CHANGES,
    "bookstore.books": BOOKS_CHANGES,
    "bookstore.orders": ORDER_EVENTS,
}
"""Where each topic's messages go."""

FIELDS: dict[str, tuple[str, ...]] = {
    topic: tuple(types(row)) for topic, row in zip(TOPICS, (CUSTOMER_ROW, BOOK_ROW, ORDER_ROW), strict=True)
}
"""What each topic's rows always had."""

_CHANGES = {CUSTOMERS_CHANGES: CUSTOMER_CHANGES, BOOKS_CHANGES: BOOK_CHANGES}
_SHARED = (*types(ARRIVAL), OTHERS, "reason_code", "reason")


def read_topics(messages: Mapping[str, DataFrame], currency: str) -> DataFrame:
    """What is read of every topic's messages, in rows of one kind.

    Args:
        messages: Of each topic, its messages: the columns of `ARRIVAL`.
        currency: The only one that orders may have.

    Returns:
        The messages' columns, `others` (see `new_fields`), `reason_code` and `reason` where a message can't be read,
        and for each topic a struct by the name of its table, with what is the topic's own: null in other topics' rows.
    """
    read = [_packed(read_topic(rows, topic, currency), topic) for topic, rows in messages.items()]
    return reduce(DataFrame.unionAll, read)


def read_topic(messages: DataFrame, topic: str, currency: str) -> DataFrame:
    """What is read of one topic's messages, flat, with `others`, and `reason_code` and `reason` where they can't be."""
    changes = _CHANGES.get(TOPICS[topic])
    return read_changes(messages, changes) if changes else read_order_events(messages, currency)


def rows_of(read: DataFrame, topic: str) -> DataFrame:
    """One topic's rows of what `read_topics` gives, flat."""
    return read.where(F.col("topic") == topic).select(*_SHARED, f"{TOPICS[topic].name}.*")


def _packed(rows: DataFrame, topic: str) -> DataFrame:
    own = TOPICS[topic]
    packed = {table.name: F.struct(*_own(table)) if table == own else _nothing_of(table) for table in TOPICS.values()}
    return rows.select(*_SHARED, *[column.alias(name) for name, column in packed.items()])


def _own(table: Table) -> dict[str, str]:
    """The columns that only this topic's messages have, with their types."""
    return {name: kind for name, kind in types(table.columns).items() if name not in _SHARED}


def _nothing_of(table: Table) -> Column:
    return F.lit(None).cast(f"struct<{','.join(f'{name}:{kind}' for name, kind in _own(table).items())}>")
