"""Any bytes: what Spark makes of a message is what a plain reading of the contract makes of it."""

from collections import Counter
from functools import reduce
from operator import add
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from spark_jobs.tables import BOOK_ROW, CUSTOMER_ROW, ORDER_ROW, types
from spark_jobs.topics import read_topic
from tests.spark_jobs.messages import Message, arrived
from tests.spark_jobs.transforms import plain_topics
from tests.spark_jobs.transforms.fuzzed import message
from tests.spark_jobs.transforms.plain_contract import Read

COLUMNS = {
    "bookstore.customers": {"op": "string", "sequence": "struct", **types(CUSTOMER_ROW)},
    "bookstore.books": {"op": "string", "sequence": "struct", **types(BOOK_ROW)},
    "bookstore.orders": types(ORDER_ROW),
}
BATCH = 5_000


def drawn(topic: str, number: int, *, repeatable: bool) -> list[Message]:
    """That many messages, the same in every run or others in each."""
    found: list[Message] = []
    quiet = settings(max_examples=number, derandomize=repeatable, database=None, deadline=None, phases=[Phase.generate])

    @quiet
    @given(st.randoms(use_true_random=True))
    def draw(random: Random) -> None:
        found.append(message(topic, random))

    draw()
    return found


def comparable(name: str, kind: str) -> list[Column]:
    """A column as Python can take it: moments may lie where its own local time doesn't reach."""
    if kind == "timestamp":
        return [F.unix_micros(name).alias(name)]
    if kind == "date" or kind.startswith("decimal"):
        return [F.col(name).cast("string").alias(name)]
    if name == "sequence":
        return [F.col("sequence.ts_ms"), F.col("sequence.lsn")]
    if name == "lines":
        return [F.transform(name, lambda line: F.array(*[line[part].cast("string") for part in LINE])).alias(name)]
    return [F.col(name)]


LINE = ("line_no", "book_id", "quantity", "unit_price", "returned_quantity")


def by_spark(spark: SparkSession, topic: str, sent: list[Message]) -> list[Read]:
    columns: list[Column] = reduce(add, [comparable(name, kind) for name, kind in COLUMNS[topic].items()])
    rows = read_topic(arrived(spark, topic, sent), topic, "EUR").select("offset", "reason_code", *columns).collect()
    read = [row.asDict() for row in sorted(rows, key=lambda row: row.offset)]
    assert [row.pop("offset") for row in read] == list(range(len(sent)))
    return [Read(row.pop("reason_code"), row) for row in read]


def in_plain(topic: str, sent: Message) -> Read:
    read = plain_topics.read(topic, *sent)
    return Read(read.reason_code, {name: text(name, value) for name, value in read.columns.items()})


def text(name: str, value: Any) -> Any:
    if name == "lines" and value is not None:
        return [[None if part is None else str(part) for part in line] for line in value]
    return str(value) if name == "price" and value is not None else value


def disagreements(topic: str, sent: list[Message], found: list[Read]) -> list[str]:
    """Where the two readings differ, the shortest message first."""
    wrong = []
    for each, spark_read in sorted(zip(sent, found, strict=True), key=lambda pair: len(pair[0][1] or b"")):
        plain = in_plain(topic, each)
        read = spark_read if spark_read.reason_code is None else Read(spark_read.reason_code, {})
        if plain != read:
            wrong.append(f"{each}\n  plain {difference(plain, read)}\n  spark {difference(read, plain)}")
    return wrong


def difference(one: Read, other: Read) -> str:
    columns = {name: value for name, value in one.columns.items() if other.columns.get(name) != value}
    return f"{one.reason_code or 'read'} {columns}"


def check(spark: SparkSession, topic: str, number: int, *, repeatable: bool) -> Counter[str | None]:
    sent = drawn(topic, number, repeatable=repeatable)
    verdicts: Counter[str | None] = Counter()
    for start in range(0, len(sent), BATCH):
        batch = sent[start : start + BATCH]
        found = by_spark(spark, topic, batch)
        wrong = disagreements(topic, batch, found)
        assert not wrong, f"{len(wrong)} of {len(batch)} messages:\n" + "\n".join(wrong[:10])
        verdicts.update(read.reason_code for read in found)
    return verdicts


@pytest.mark.parametrize("topic", COLUMNS)
def test_some_messages(spark: SparkSession, topic: str) -> None:
    verdicts = check(spark, topic, 1_200, repeatable=True)
    assert verdicts[None] > 200, verdicts  # else the fuzz tells little about what can be read
    assert len(verdicts) > 9, verdicts


@pytest.mark.full
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("topic", COLUMNS)
def test_a_hundred_thousand_messages(spark: SparkSession, topic: str) -> None:
    check(spark, topic, 34_000, repeatable=False)
