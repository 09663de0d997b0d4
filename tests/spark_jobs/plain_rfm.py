"""RFM in plain Python, straight from the definition: every customer compared with every other."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from tests.spark_jobs.bookstore import Row

# R score and F scores, written out as marketing reads them.
_NAMES = {
    "Hibernating": ["11", "12", "21", "22"],
    "At Risk": ["13", "14", "23", "24"],
    "Can't Lose Them": ["15", "25"],
    "About To Sleep": ["31", "32"],
    "Need Attention": ["33"],
    "Loyal Customers": ["34", "35", "44", "45"],
    "Promising": ["41"],
    "Potential Loyalists": ["42", "43", "52", "53"],
    "New Customers": ["51"],
    "Champions": ["54", "55"],
}
SEGMENT_OF = {cell: name for name, cells in _NAMES.items() for cell in cells}


def plain_rfm(
    customer_ids: Collection[int], orders: Iterable[Row], snapshot_date: dt.date, lookback_days: int
) -> list[tuple[Any, ...]]:
    """The rows of `gold.rfm` in customer order."""
    counted: dict[int, list[Row]] = defaultdict(list)
    for order in orders:
        if order["customer_id"] in customer_ids and _counts(order, snapshot_date, lookback_days):
            counted[order["customer_id"]].append(order)
    recency = {c: (snapshot_date - max(o["ordered_at"].date() for o in own)).days for c, own in counted.items()}
    frequency = {c: len(own) for c, own in counted.items()}
    monetary = {c: sum(o["net_amount"] for o in own) for c, own in counted.items()}
    rows = []
    for c in sorted(counted):
        r = _score(sum(other > recency[c] for other in recency.values()), len(counted))
        f = _score(sum(other < frequency[c] for other in frequency.values()), len(counted))
        m = _score(sum(other < monetary[c] for other in monetary.values()), len(counted))
        metrics = (recency[c], frequency[c], monetary[c])
        rows.append((snapshot_date, c, lookback_days, *metrics, r, f, m, f"{r}{f}{m}", SEGMENT_OF[f"{r}{f}"]))
    return rows


def _counts(order: Row, snapshot_date: dt.date, lookback_days: int) -> bool:
    age = (snapshot_date - order["ordered_at"].date()).days
    in_window = age >= 0 and (lookback_days == 0 or age < lookback_days)
    return bool(in_window and order["status"] != "cancelled" and order["net_amount"] > 0)


def _score(worse: int, n: int) -> int:
    return 1 + 5 * worse // n
