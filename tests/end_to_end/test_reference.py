"""The reference itself, on histories small enough to follow by hand."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end import reference

BOOK = {"book_id": 1, "title": "Dune", "price": "10.00", "updated_at": "2026-01-01T00:00:00Z"}
LINE = {"line_no": 1, "book_id": 1, "quantity": 2, "unit_price": "12.99", "returned_quantity": 0}
SNAPSHOT = dt.date(2026, 1, 31)


def change(op: str, lsn: int, before: Any = None, after: Any = None, ts_ms: int = 0) -> dict[str, Any]:
    return {"op": op, "before": before, "after": after, "source": {"ts_ms": ts_ms, "lsn": lsn}}


def customer(customer_id: int, city: str) -> dict[str, Any]:
    times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z"}
    return {"customer_id": customer_id, "city": city, **times}


def order(order_id: str = "O-1", **fields: Any) -> dict[str, Any]:
    times = {"ordered_at": "2026-01-30T10:15:00Z", "updated_at": "2026-01-30T12:00:00Z"}
    plain = {"order_id": order_id, "customer_id": 1, "status": "paid", "version": 1, **times, "lines": [LINE]}
    return {**plain, **fields}


def net_amount(**fields: Any) -> Decimal:
    (row,) = reference.orders([("O-1", order(**fields))])
    amount: Decimal = row["net_amount"]
    return amount


def buys(customer_id: int | None, day: str, amount: str, status: str = "paid") -> dict[str, Any]:
    """A row of `silver.orders`, as far as RFM looks at it."""
    ordered_at = f"{day}T23:59:59+00:00"
    return {"customer_id": customer_id, "ordered_at": ordered_at, "status": status, "net_amount": Decimal(amount)}


def partition(orders: list[dict[str, Any]], lookback_days: int = 365) -> list[dict[str, Any]]:
    known = [{"customer_id": customer_id} for customer_id in range(1, 6)]
    return reference.rfm(known, orders, SNAPSHOT, lookback_days)


def test_the_files_are_read_with_exact_numbers(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_text('{"key":"O-1","value":{"price":0.10}}\n{"key":"O-1","value":null}\n')
    assert reference.read_events(path) == [("O-1", {"price": Decimal("0.10")}), ("O-1", None)]


def test_a_customer_is_what_the_change_with_the_greatest_sequence_says() -> None:
    newest = change("u", 2, customer(1, "Ghent"), customer(1, "Paris"))
    oldest = change("c", 1, None, customer(1, "Ghent"))
    assert reference.customers([({"customer_id": 1}, newest), ({"customer_id": 1}, oldest)]) == [
        {
            "customer_id": 1,
            "city": "Paris",
            "created_at": "2026-01-01T00:00:00+00:00",
            "updated_at": "2026-01-02T00:00:00+00:00",
        }
    ]


def test_a_deleted_customer_is_gone() -> None:
    key = {"customer_id": 1}
    events = [
        (key, change("c", 1, None, customer(1, "Ghent"))),
        (key, change("d", 2, customer(1, "Ghent"))),
        (key, None),
    ]
    assert reference.customers(events) == []


def test_time_comes_before_the_log_position_in_a_sequence() -> None:
    later = change("u", 1, None, customer(1, "Paris"), ts_ms=1)
    sooner = change("u", 2, None, customer(1, "Ghent"))
    (row,) = reference.customers([({"customer_id": 1}, later), ({"customer_id": 1}, sooner)])
    assert row["city"] == "Paris"


def test_each_price_of_a_book_is_a_version_until_the_next() -> None:
    cheaper = {**BOOK, "price": Decimal("8.5")}
    changes = [change("r", 1, None, BOOK), change("u", 2, BOOK, cheaper, ts_ms=1_500)]
    versions = reference.books([({"book_id": 1}, each) for each in changes])
    assert [(row["price"], row["valid_from"], row["valid_to"], row["is_current"]) for row in versions] == [
        (Decimal("10.00"), "1970-01-01T00:00:00+00:00", "1970-01-01T00:00:01.500000+00:00", False),
        (Decimal("8.50"), "1970-01-01T00:00:01.500000+00:00", None, True),
    ]


def test_an_update_that_says_nothing_new_is_no_version() -> None:
    versions = reference.books(
        [({"book_id": 1}, change("r", 1, None, BOOK)), ({"book_id": 1}, change("u", 2, BOOK, BOOK))]
    )
    assert [(row["valid_to"], row["is_current"]) for row in versions] == [(None, True)]


def test_a_withdrawn_book_has_a_gap_until_it_comes_back() -> None:
    changes = [
        change("r", 1, None, BOOK),
        change("d", 2, BOOK, None, ts_ms=1_000),
        change("c", 3, None, BOOK, ts_ms=2_000),
    ]
    versions = reference.books([({"book_id": 1}, each) for each in changes])
    assert [(row["valid_from"], row["valid_to"]) for row in versions] == [
        ("1970-01-01T00:00:00+00:00", "1970-01-01T00:00:01+00:00"),
        ("1970-01-01T00:00:02+00:00", None),
    ]


def test_an_order_is_its_greatest_version() -> None:
    events = [("O-1", order(version=10, status="shipped")), ("O-1", order(version=9))]
    assert [(row["version"], row["status"]) for row in reference.orders(events)] == [(10, "shipped")]


def test_a_deleted_order_never_comes_back() -> None:
    assert reference.orders([("O-1", order()), ("O-1", None), ("O-1", order(version=2))]) == []


def test_an_order_nets_what_comes_back() -> None:
    lines = [{**LINE, "returned_quantity": 1}, {**LINE, "line_no": 2, "unit_price": Decimal("0.1")}]
    assert net_amount(status="returned", lines=lines) == Decimal("13.19")


def test_a_line_that_says_nothing_of_returns_has_none() -> None:
    line = {name: value for name, value in LINE.items() if name != "returned_quantity"}
    assert net_amount(lines=[line]) == Decimal("25.98")


def test_a_cancelled_order_is_worth_nothing() -> None:
    assert net_amount(status="cancelled") == Decimal("0.00")


def test_rfm_measures_and_scores() -> None:
    rows = partition([buys(1, "2026-01-31", "10.00"), buys(1, "2026-01-01", "5.00"), buys(2, "2026-01-21", "20.00")])
    when = {"snapshot_date": "2026-01-31", "lookback_days": 365}
    first = {"customer_id": 1, "recency_days": 0, "frequency": 2, "monetary": Decimal("15.00")}
    second = {"customer_id": 2, "recency_days": 10, "frequency": 1, "monetary": Decimal("20.00")}
    loyal = {"r_score": 3, "f_score": 3, "m_score": 1, "rfm_score": "331", "rfm_segment": "Need Attention"}
    gone = {"r_score": 1, "f_score": 1, "m_score": 3, "rfm_score": "113", "rfm_segment": "Hibernating"}
    assert rows == [{**when, **first, **loyal}, {**when, **second, **gone}]


def test_equal_customers_score_the_same() -> None:
    rows = partition([buys(customer_id, "2026-01-31", "10.00") for customer_id in (1, 2, 3)])
    assert [row["rfm_score"] for row in rows] == ["111", "111", "111"]


def test_five_customers_spread_over_five_scores() -> None:
    orders = [buys(number, f"2026-01-{number:02}", f"{number}.00") for number in range(1, 6)]
    assert [row["rfm_score"] for row in partition(orders)] == ["111", "212", "313", "414", "515"]


@pytest.mark.parametrize(
    ("day", "lookback_days", "counted"),
    [
        ("2026-01-31", 1, True),
        ("2026-01-30", 1, False),
        ("2026-02-01", 1, False),
        ("2025-02-01", 365, True),
        ("2025-01-31", 365, False),
        ("1999-01-01", 0, True),
        ("2026-02-01", 0, False),
    ],
)
def test_the_window_ends_with_the_snapshot_and_starts_after_the_lookback(
    day: str, lookback_days: int, *, counted: bool
) -> None:
    assert bool(partition([buys(1, day, "10.00")], lookback_days)) is counted


@pytest.mark.parametrize(
    "uncounted",
    [
        buys(1, "2026-01-31", "10.00", status="cancelled"),
        buys(1, "2026-01-31", "0.00"),
        buys(None, "2026-01-31", "10.00"),
        buys(6, "2026-01-31", "10.00"),
    ],
    ids=["cancelled", "worth nothing", "a guest's", "an unknown customer's"],
)
def test_orders_that_do_not_count(uncounted: dict[str, Any]) -> None:
    assert partition([uncounted]) == []


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("Hibernating", "11 12 21 22"),
        ("At Risk", "13 14 23 24"),
        ("Can't Lose Them", "15 25"),
        ("About To Sleep", "31 32"),
        ("Need Attention", "33"),
        ("Loyal Customers", "34 35 44 45"),
        ("Promising", "41"),
        ("Potential Loyalists", "42 43 52 53"),
        ("New Customers", "51"),
        ("Champions", "54 55"),
    ],
)
def test_the_segments_names(name: str, cells: str) -> None:
    found = [f"{r}{f}" for r in range(1, 6) for f in range(1, 6) if reference.SEGMENTS[r][f - 1] == name]
    assert found == cells.split()
