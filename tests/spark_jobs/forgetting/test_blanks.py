"""Whose message it is, and what is left of it."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.forgetting.blanks import mentioned_customers, screened
from spark_jobs.forgetting.register import Register
from spark_jobs.topics import read_topics, rows_of
from tests.spark_jobs.messages import Message, arrived, change, encode, order

ANN, BEN = 4711170, 18

MESSAGES: dict[str, tuple[Message, list[int]]] = {
    "in the key": ((b'{"customer_id":4711170}', None), [ANN]),
    "as text": ((None, b'{"after":{"customer_id" : "4711170"'), [ANN]),
    "in JSON within JSON": ((None, rb'"{\"customer_id\": 4711170}"'), [ANN]),
    "beside bytes that are no text": ((None, b'\xff\x00{"customer_id":4711170}'), [ANN]),
    "in key and value": ((b'{"customer_id":18}', b'{"customer_id":4711170}'), [BEN, ANN]),
    "with a sign and zeros": ((None, b'{"customer_id":+004711170}'), [ANN]),
    "cut short, which could be another id": ((None, b'{"customer_id":4711170'), []),
    "longer": ((None, b'{"customer_id":47111701}'), [47111701]),
    "of something else": ((None, b'{"book_id":4711170}'), []),
    "nothing": ((None, None), []),
}


def test_an_id_is_found_however_broken_the_message_is(spark: SparkSession) -> None:
    messages = arrived(spark, "bookstore.customers", [message for message, _ in MESSAGES.values()])
    found = messages.select("offset", mentioned_customers(F.col("key"), F.col("value")).alias("ids")).collect()
    ids = [row.ids for row in sorted(found)]
    assert dict(zip(MESSAGES, ids, strict=True)) == {name: expected for name, (_, expected) in MESSAGES.items()}


BROKEN = b'{"customer_id":%d,'
REGISTER = Register("salt", frozenset({Register("salt", frozenset()).digest(ANN)}))


def good(topic: str, customer_id: int) -> bytes | None:
    is_change = topic == "bookstore.customers"
    return encode(change("c", {"customer_id": customer_id}) if is_change else order(customer_id=customer_id))


def test_a_message_that_came_to_the_wrong_topic_becomes_blank_too(spark: SparkSession) -> None:
    book = encode(change("c", {"book_id": 5}))
    messages = arrived(spark, "bookstore.books", [(None, good("bookstore.customers", ANN)), (None, book)])

    read = screened(read_topics({"bookstore.books": messages}, "EUR"), REGISTER).orderBy("offset").collect()

    assert [(row.reason_code, bytes(row.value)) for row in read] == [("forgotten", b""), (None, book)]


@pytest.mark.parametrize("topic", ["bookstore.customers", "bookstore.orders"])
def test_only_what_is_about_a_forgotten_customer_becomes_blank(spark: SparkSession, topic: str) -> None:
    messages = [(None, good(topic, ANN)), (None, good(topic, BEN)), (None, BROKEN % ANN), (None, BROKEN % BEN)]

    read = screened(read_topics({topic: arrived(spark, topic, messages)}, "EUR"), REGISTER)
    rows = rows_of(read, topic).orderBy("offset").collect()

    assert [row.reason_code for row in rows] == [None, None, "forgotten", "not_json"]
    assert (rows[0].topic, rows[0].partition, rows[0].offset) == (topic, 0, 0)
    empty = {name for name, value in rows[0].asDict().items() if value is None}
    assert empty == set(rows[0].asDict()) - {"topic", "partition", "offset", "kafka_timestamp", "ingested_at", "value"}
    assert [bytes(row.value) for row in rows] == [b"", messages[1][1], b"", messages[3][1]]
    assert (rows[1].customer_id, rows[3].reason is not None, rows[2].reason) == (BEN, True, None)
