"""What the tables must hold in the end, in plain Python, from nothing but what `localcloud produce --truth` writes.

Rows are dictionaries with the values that `localcloud sql --format json` prints, its decimals read as `Decimal`:
dates and times are ISO text, times with the offset `+00:00`.
"""

import datetime as dt
import json
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Event = tuple[Any, Row | None]
"""A key and a value, which is None for a tombstone."""

CENT = Decimal("0.01")
HIBERNATING = ("Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose Them")
SEGMENTS = {
    1: HIBERNATING,
    2: HIBERNATING,
    3: ("About To Sleep", "About To Sleep", "Need Attention", "Loyal Customers", "Loyal Customers"),
    4: ("Promising", "Potential Loyalists", "Potential Loyalists", "Loyal Customers", "Loyal Customers"),
    5: ("New Customers", "Potential Loyalists", "Potential Loyalists", "Champions", "Champions"),
}
"""By R score, the names for the F scores 1 to 5."""


def read_events(path: Path) -> list[Event]:
    """The lines of a truth file; every number with a fraction is read exactly."""
    with path.open(encoding="utf-8") as lines:
        events = [json.loads(line, parse_float=Decimal) for line in lines]
    return [(event["key"], event["value"]) for event in events]


def customers(events: Iterable[Event]) -> list[Row]:
    """`silver.customers`: what each customer's last change left, unless that was a delete."""
    last = [changes[-1] for _, changes in sorted(_changes_by_id("customer_id", events).items())]
    return [_customer(change["after"]) for change in last if change["op"] != "d"]


def books(events: Iterable[Event]) -> list[Row]:
    """`silver.books`: every version of every book, in order."""
    histories = sorted(_changes_by_id("book_id", events).items())
    return [version for _, changes in histories for version in _versions(changes)]


def orders(events: Iterable[Event]) -> list[Row]:
    """`silver.orders`: the last version of each order that was never deleted."""
    versions: dict[str, list[Row | None]] = defaultdict(list)
    for order_id, order in events:
        versions[order_id].append(order)
    kept = {order_id: [order for order in own if order] for order_id, own in versions.items() if None not in own}
    return [_order(max(own, key=lambda order: int(order["version"]))) for _, own in sorted(kept.items())]


def rfm(
    customer_rows: Iterable[Row], order_rows: Iterable[Row], snapshot_date: dt.date, lookback_days: int = 365
) -> list[Row]:
    """`gold.rfm`, one partition: recency, frequency and monetary of all customers, each scored against the others."""
    known = {row["customer_id"] for row in customer_rows}
    orders_of: dict[int, list[Row]] = defaultdict(list)
    for order in order_rows:
        if order["customer_id"] in known and _counts(order, snapshot_date, lookback_days):
            orders_of[order["customer_id"]].append(order)
    measures = {customer: _measures(own, snapshot_date) for customer, own in sorted(orders_of.items())}
    when = {"snapshot_date": snapshot_date.isoformat(), "lookback_days": lookback_days}
    scores = _scores(list(measures.values()))
    return [
        {**when, "customer_id": customer, **measure, **score}
        for (customer, measure), score in zip(measures.items(), scores, strict=True)
    ]


def _changes_by_id(key: str, events: Iterable[Event]) -> dict[int, list[Row]]:
    """The changes of each row of a table by their sequence; tombstones say nothing."""
    changes: dict[int, list[Row]] = defaultdict(list)
    for event_key, change in events:
        if change:
            changes[event_key[key]].append(change)
    return {row_id: sorted(own, key=_sequence) for row_id, own in changes.items()}


def _sequence(change: Row) -> tuple[int, int]:
    return change["source"]["ts_ms"], change["source"]["lsn"]


def _customer(row: Row) -> Row:
    return {**row, "created_at": _time(row["created_at"]), "updated_at": _time(row["updated_at"])}


def _versions(changes: Sequence[Row]) -> list[Row]:
    """One row from each change that says something new, until the next one, or until the book is withdrawn."""
    versions: list[Row] = []
    for change in changes:
        is_open = bool(versions) and versions[-1]["valid_to"] is None
        row = _book(change["after"]) if change["op"] != "d" else None
        if is_open and row is not None and row.items() <= versions[-1].items():
            continue
        at = _time_of_ms(change["source"]["ts_ms"])
        if is_open:
            versions[-1].update(valid_to=at, is_current=False)
        if row is not None:
            versions.append({**row, "valid_from": at, "valid_to": None, "is_current": True})
    return versions


def _book(row: Row) -> Row:
    return {**row, "price": _money(row["price"]), "updated_at": _time(row["updated_at"])}


def _order(order: Row) -> Row:
    lines = [_line(line) for line in order["lines"]]
    times = {name: _time(order[name]) for name in ("ordered_at", "updated_at")}
    return {**order, **times, "lines": lines, "net_amount": _net_amount(order["status"], lines)}


def _line(line: Row) -> Row:
    return {**line, "unit_price": _money(line["unit_price"]), "returned_quantity": line.get("returned_quantity", 0)}


def _net_amount(status: str, lines: Iterable[Row]) -> Decimal:
    if status == "cancelled":
        return _money(0)
    return _money(sum((line["quantity"] - line["returned_quantity"]) * line["unit_price"] for line in lines))


def _counts(order: Row, snapshot_date: dt.date, lookback_days: int) -> bool:
    """Whether the order is no cancelled or empty one, and is of the days looked at; 0 days are all."""
    days_ago = (snapshot_date - _day(order)).days
    is_in_window = days_ago >= 0 and (lookback_days == 0 or days_ago < lookback_days)
    return is_in_window and order["status"] != "cancelled" and order["net_amount"] > 0


def _measures(own: Collection[Row], snapshot_date: dt.date) -> Row:
    return {
        "recency_days": (snapshot_date - max(_day(order) for order in own)).days,
        "frequency": len(own),
        "monetary": _money(sum(order["net_amount"] for order in own)),
    }


def _scores(measures: Sequence[Row]) -> list[Row]:
    """For each customer, how many others do worse: longer ago, less often, for less money."""
    recencies, frequencies, monetaries = (
        sorted(measure[name] for measure in measures) for name in ("recency_days", "frequency", "monetary")
    )
    count = len(measures)
    return [
        _score_row(
            _score(count - bisect_right(recencies, measure["recency_days"]), count),
            _score(bisect_left(frequencies, measure["frequency"]), count),
            _score(bisect_left(monetaries, measure["monetary"]), count),
        )
        for measure in measures
    ]


def _score(worse: int, count: int) -> int:
    return 1 + 5 * worse // count


def _score_row(r: int, f: int, m: int) -> Row:
    scores = {"r_score": r, "f_score": f, "m_score": m}
    return {**scores, "rfm_score": f"{r}{f}{m}", "rfm_segment": SEGMENTS[r][f - 1]}


def _day(order: Mapping[str, str]) -> dt.date:
    return dt.datetime.fromisoformat(order["ordered_at"]).date()


def _time(text: str) -> str:
    return dt.datetime.fromisoformat(text).isoformat()


def _time_of_ms(ms: int) -> str:
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=ms)).isoformat()


def _money(amount: str | Decimal | int) -> Decimal:
    """Two decimals; the truth has no amount with more."""
    return Decimal(amount).quantize(CENT)
