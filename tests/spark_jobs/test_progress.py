"""What the run's log says of a batch."""

from typing import Any

from spark_jobs.progress import sentence


def told(*sources: dict[str, Any], batch: int = 0, rows: int = 0, **durations: int) -> str:
    """The sentence about a batch of these sources."""
    return sentence({"batchId": batch, "numInputRows": rows, "durationMs": durations, "sources": list(sources)})


def test_a_batch_is_told_with_its_speed_and_what_is_left() -> None:
    source = {
        "endOffset": '{"bookstore.orders":{"0":10,"1":20},"bookstore.books":{"0":5}}',
        "metrics": {"avgOffsetsBehindLatest": "1500.0"},
    }
    found = told(source, batch=3, rows=250_000, triggerExecution=4_000)
    assert found == "batch 3: 250,000 messages in 4.0 s, 62,500 a second; 4,500 behind"


def test_a_source_that_tells_nothing_is_nothing_behind() -> None:
    source = {"endOffset": {"bookstore.orders": {"0": 10}}, "metrics": {}}
    assert told(source, rows=1) == "batch 0: 1 messages in 0.0 s, 0 a second; 0 behind"


def test_where_no_rows_were_counted_the_offsets_tell() -> None:
    source = {
        "startOffset": '{"bookstore.orders":{"0":10}}',
        "endOffset": '{"bookstore.orders":{"0":12,"1":3}}',
        "metrics": {},
    }
    assert told(source, triggerExecution=1_000) == "batch 0: 5 messages in 1.0 s, 5 a second; 0 behind"


def test_the_sources_of_all_topics_are_added_up() -> None:
    orders = {
        "startOffset": '{"bookstore.orders":{"0":10}}',
        "endOffset": '{"bookstore.orders":{"0":12}}',
        "metrics": {"avgOffsetsBehindLatest": "4.0"},
    }
    books = {
        "startOffset": None,
        "endOffset": '{"bookstore.books":{"0":5,"1":1}}',
        "metrics": {"avgOffsetsBehindLatest": "1.5"},
    }
    assert told(orders, books, triggerExecution=1_000) == "batch 0: 8 messages in 1.0 s, 8 a second; 7 behind"
