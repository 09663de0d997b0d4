"""What every valid event must be, and what the bookstore as a whole must have."""

import dataclasses
import datetime as dt
from collections import defaultdict
from typing import Any

import numpy as np
import orjson
import pytest

from localcloud.bookstore.plan import Plan
from localcloud.bookstore.shop import Shop, shop_of
from localcloud.bookstore.stream import Stream
from tests.localcloud.bookstore.conftest import PLAN
from tests.localcloud.bookstore.contract import verdict

TOPICS = ("customers", "books", "orders")
Documents = list[tuple[bytes, dict[str, Any] | None]]


def stream_of(shop: Shop, name: str) -> Stream:
    return next(stream for stream in shop.streams if stream.name == name)


def documents(shop: Shop, name: str) -> Documents:
    stream = stream_of(shop, name)
    messages = stream.documents(stream.in_true_order())
    return [(key or b"", orjson.loads(value) if value else None) for key, value in messages]


@pytest.fixture(scope="module")
def events(shop: Shop) -> dict[str, Documents]:
    """By the topic's last word, the key and the value of each event in true order."""
    return {name: documents(shop, name) for name in TOPICS}


def by_key(events: Documents) -> dict[bytes, list[dict[str, Any] | None]]:
    histories: dict[bytes, list[dict[str, Any] | None]] = defaultdict(list)
    for key, document in events:
        histories[key].append(document)
    return histories


@pytest.mark.parametrize("name", TOPICS)
def test_every_event_keeps_the_contract(shop: Shop, name: str) -> None:
    stream = stream_of(shop, name)
    messages = stream.messages(stream.in_true_order())
    assert {verdict(stream.topic, key, value) for key, value in messages} == {None}


@pytest.mark.parametrize("name", TOPICS)
def test_the_same_plan_gives_the_same_bytes(shop: Shop, name: str) -> None:
    first, second = stream_of(shop, name), stream_of(shop_of(PLAN), name)
    assert first.messages(first.in_true_order()) == second.messages(second.in_true_order())


@pytest.mark.parametrize("name", TOPICS)
def test_another_seed_gives_others(shop: Shop, name: str) -> None:
    first, second = stream_of(shop, name), stream_of(shop_of(dataclasses.replace(PLAN, seed=2)), name)
    assert first.messages(first.in_true_order()) != second.messages(second.in_true_order())


@pytest.mark.parametrize("name", TOPICS)
def test_numbers_count_from_the_first_id(name: str) -> None:
    near, far = (shop_of(Plan(30, 20, 60, PLAN.start, PLAN.end, first_id=first)) for first in (1, 1_000_001))
    assert not by_key(documents(near, name)).keys() & by_key(documents(far, name)).keys()


@pytest.mark.parametrize("name", ["customers", "books"])
def test_a_rows_changes_follow_from_one_another(events: dict[str, Documents], name: str) -> None:
    for changes in by_key(events[name]).values():
        row = None
        for change in changes:
            if change is None:
                assert row is None
                continue
            assert change["before"] == row
            assert (change["op"] in "rc") == (row is None)
            assert (change["op"] == "d") == (change["after"] is None)
            row = change["after"]


@pytest.mark.parametrize("name", ["customers", "books"])
def test_a_delete_and_only_a_delete_is_followed_by_a_tombstone(events: dict[str, Documents], name: str) -> None:
    for changes in by_key(events[name]).values():
        deletes = [bool(change and change["op"] == "d") for change in changes]
        tombstones = [change is None for change in changes]
        assert [False, *deletes] == [*tombstones, False]


@pytest.mark.parametrize("name", ["customers", "books"])
def test_a_rows_sequence_ascends(events: dict[str, Documents], name: str) -> None:
    for changes in by_key(events[name]).values():
        sequence = [(change["source"]["ts_ms"], change["source"]["lsn"]) for change in changes if change]
        assert sequence == sorted(set(sequence))


@pytest.mark.parametrize("name", ["customers", "books"])
def test_a_place_in_the_log_is_taken_once(events: dict[str, Documents], name: str) -> None:
    places = [change["source"]["lsn"] for _, change in events[name] if change]
    assert places == sorted(set(places))


@pytest.mark.parametrize("name", ["customers", "books"])
def test_there_are_reads_creates_updates_and_deletes(events: dict[str, Documents], name: str) -> None:
    assert {change["op"] for _, change in events[name] if change} == {"r", "c", "u", "d"}


def test_some_changes_are_wrapped_in_their_schema(shop: Shop) -> None:
    every = np.arange(len(shop.customers))
    plain, sent = shop.customers.documents(every), shop.customers.messages(every)
    wrapped = [place for place, (_, value) in enumerate(sent) if value and value.startswith(b'{"schema":')]
    assert 0.05 * len(sent) < len(wrapped) < 0.15 * len(sent)
    for place in wrapped:
        envelope = orjson.loads(sent[place][1] or b"")
        assert envelope["payload"] == orjson.loads(plain[place][1] or b"")
        assert {field["field"] for field in envelope["schema"]["fields"]} == envelope["payload"].keys()


def test_every_price_change_of_a_book_changes_its_price(events: dict[str, Documents]) -> None:
    updates = [change for _, change in events["books"] if change and change["op"] == "u"]
    assert updates
    assert [change for change in updates if change["before"]["price"] == change["after"]["price"]] == []


def test_some_books_come_back(events: dict[str, Documents]) -> None:
    ops = ["".join(change["op"] for change in changes if change) for changes in by_key(events["books"]).values()]
    assert any("dc" in history for history in ops)
    assert any(history.endswith("d") for history in ops)


def test_customers_move_and_change_their_minds(events: dict[str, Documents]) -> None:
    updates = [change for _, change in events["customers"] if change and change["op"] == "u"]
    changed = {name for one in updates for name in one["after"] if one["before"][name] != one["after"][name]}
    assert changed == {"email", "last_name", "city", "country", "marketing_consent", "updated_at"}


def test_there_are_as_many_of_each_as_planned(events: dict[str, Documents]) -> None:
    assert {name: len(by_key(events[name])) for name in TOPICS} == {"customers": 300, "books": 400, "orders": 3_000}


def test_orders_go_through_their_statuses(events: dict[str, Documents]) -> None:
    lives = {tuple(order["status"] if order else None for order in own) for own in by_key(events["orders"]).values()}
    whole = ("placed", "paid", "shipped", "delivered", "returned")
    assert {whole, whole[:4], ("placed", "cancelled"), ("placed", "paid", "cancelled"), (*whole[:4], None)} <= lives
    cancelled = {("placed", "cancelled"), ("placed", "paid", "cancelled")}
    expected = {whole[:length] for length in range(1, 6)} | cancelled
    assert {life[:-1] if life[-1] is None else life for life in lives} <= expected


def test_versions_count_from_one_and_only_the_status_and_returns_change(events: dict[str, Documents]) -> None:
    for versions in by_key(events["orders"]).values():
        orders = [order for order in versions if order]
        assert [order["version"] for order in orders] == list(range(1, len(orders) + 1))
        times = [order["updated_at"] for order in orders]
        assert times == sorted(set(times))
        assert len({orjson.dumps(without_progress(order)) for order in orders}) == 1


def without_progress(order: dict[str, Any]) -> dict[str, Any]:
    lines = [{**line, "returned_quantity": 0} for line in order["lines"]]
    return {**order, "status": "", "version": 0, "updated_at": "", "lines": lines}


def test_something_comes_back_of_a_returned_order_and_of_no_other(events: dict[str, Documents]) -> None:
    orders = [order for _, order in events["orders"] if order]
    returned = [
        (order["status"] == "returned", any(line["returned_quantity"] for line in order["lines"])) for order in orders
    ]
    assert set(returned) == {(True, True), (False, False)}


def test_orders_are_placed_within_the_days_and_nothing_happens_after_them(events: dict[str, Documents]) -> None:
    orders = [order for _, order in events["orders"] if order]
    assert min(order["ordered_at"] for order in orders) >= "2025-01-01T00:00:00Z"
    assert max(order["updated_at"] for order in orders) <= "2025-12-31T23:59:59Z"


def test_some_orders_are_guests_and_some_prices_numbers(events: dict[str, Documents]) -> None:
    orders = [order for _, order in events["orders"] if order and order["version"] == 1]
    guests = sum(order["customer_id"] is None for order in orders)
    assert guests == 150
    numbers = sum(isinstance(order["lines"][0]["unit_price"], float) for order in orders)
    assert 0.02 * len(orders) < numbers < 0.1 * len(orders)


def test_who_orders_is_a_customer_at_the_time(events: dict[str, Documents]) -> None:
    appears = {
        change["after"]["customer_id"]: change["after"]["updated_at"] for change in creations(events["customers"])
    }
    orders = [order for _, order in events["orders"] if order and order["customer_id"] is not None]
    assert [order for order in orders if order["ordered_at"] < appears[order["customer_id"]]] == []


def test_what_is_ordered_is_for_sale_at_the_time(events: dict[str, Documents]) -> None:
    listed = {
        change["after"]["book_id"]: change["after"]["updated_at"] for change in reversed(creations(events["books"]))
    }
    withdrawn = {
        change["before"]["book_id"]: dt.datetime.fromtimestamp(change["source"]["ts_ms"] / 1000, dt.UTC).isoformat()
        for _, change in events["books"]
        if change and change["op"] == "d"
    }
    sales = [
        (line["book_id"], order["ordered_at"]) for _, order in events["orders"] if order for line in order["lines"]
    ]
    assert [(book, at) for book, at in sales if not listed[book] <= at < withdrawn.get(book, "9999")] == []


def creations(events: Documents) -> list[dict[str, Any]]:
    return [change for _, change in events if change and change["op"] in "rc"]


def test_no_order_has_a_book_twice(events: dict[str, Documents]) -> None:
    for _, order in events["orders"]:
        books = [line["book_id"] for line in order["lines"]] if order else []
        assert len(books) == len(set(books))


@pytest.mark.parametrize(("customers", "books", "orders"), [(1, 1, 1), (50, 1, 3), (1, 30, 50)])
def test_the_smallest_bookstores_work(customers: int, books: int, orders: int) -> None:
    day = dt.date(2026, 1, 31)
    shop = shop_of(Plan(customers, books, orders, day, day))
    for stream in shop.streams:
        messages = stream.messages(stream.in_true_order())
        assert {verdict(stream.topic, key, value) for key, value in messages} == {None}
    assert len(by_key(documents(shop, "orders"))) == orders
