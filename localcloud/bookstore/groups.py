"""The kinds of customers that are planted, for the segments to be checked against."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Group:
    """Customers who behave alike.

    Attributes:
        share: Of all customers.
        orders: How many orders, relative to the other groups.
        last_order: Days from a typical last order to the bookstore's end, where it is open for a year or longer.
        lines: Different books in an order, on average.
        discounts: Bounds of the share that is taken off a price.
    """

    name: str
    share: float
    orders: float
    last_order: float
    lines: float
    discounts: tuple[float, float]


# Far enough apart that five clusters are the best answer, near enough that each group has customers who might be of
# another: of recency, frequency and monetary together, K-Means finds the group of 98 in 100 customers.
GROUPS = (
    Group("champions", share=0.12, orders=40, last_order=3, lines=2.6, discounts=(0, 0)),
    Group("regulars", share=0.28, orders=14, last_order=15, lines=2.3, discounts=(0, 0.1)),
    Group("bargain-hunters", share=0.2, orders=14, last_order=52, lines=1.1, discounts=(0.35, 0.5)),
    Group("lapsed", share=0.22, orders=4, last_order=220, lines=2.4, discounts=(0, 0.1)),
    Group("newcomers", share=0.18, orders=0.4, last_order=11, lines=1.5, discounts=(0, 0.1)),
)
NEWCOMERS = next(index for index, group in enumerate(GROUPS) if group.name == "newcomers")

SHARES = np.array([group.share for group in GROUPS])
ORDERS = np.array([group.orders for group in GROUPS])
LAST_ORDER = np.array([group.last_order for group in GROUPS])
LINES = np.array([group.lines for group in GROUPS])
DISCOUNTS = np.array([group.discounts for group in GROUPS])
