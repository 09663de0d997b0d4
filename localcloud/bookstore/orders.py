"""Orders from the moment they are placed: paid, shipped, delivered, cancelled, returned, or deleted."""

from dataclasses import dataclass

import numpy as np
import orjson

from localcloud.bookstore.baskets import Baskets
from localcloud.bookstore.plan import DAY, Flags, Floats, Ints, Plan
from localcloud.bookstore.population import GUEST, Visits
from localcloud.bookstore.stream import Message, Stream, money_text, utc_text

HOUR = DAY // 24
STATUSES = ("placed", "paid", "shipped", "delivered", "cancelled", "returned", "deleted")
PLACED, PAID, SHIPPED, DELIVERED, CANCELLED, RETURNED, DELETED = range(len(STATUSES))
CANCELS_UNPAID, CANCELS_PAID = 0.02, 0.02
RETURNS = 0.05
LINE_RETURNED = 0.6
DELETES = 0.002
PRICE_AS_NUMBER = 0.05


@dataclass(frozen=True)
class Orders(Stream):
    """Every version of every order.

    Attributes:
        status: Of each event, as an index of `STATUSES`.
        version: Of each event.
        returned: Of each line, how many copies come back when the order is returned.
        number_prices: Of each order, whether its prices are JSON numbers rather than text.
    """

    visits: Visits
    baskets: Baskets
    status: Ints
    version: Ints
    returned: Ints
    number_prices: Flags

    @property
    def has_value(self) -> Flags:
        is_version: Flags = self.status != DELETED
        return is_version

    @property
    def is_sequenced(self) -> Flags:
        """All are: a deletion is an order's last event, and counts as that wherever it arrives."""
        return np.ones(len(self), dtype=bool)

    def documents(self, events: Ints) -> list[Message]:
        order = self.entity[events]
        keys = [b"O-%d" % number for number in (order + self.plan.first_id).tolist()]
        return list(zip(keys, self._values(events, order), strict=True))

    def _values(self, events: Ints, order: Ints) -> list[bytes | None]:
        sizes = self.baskets.sizes[order]
        ends = np.cumsum(sizes)
        lines = self._lines(events, order, sizes)
        customer = self.visits.customer[order]
        columns = zip(
            (order + self.plan.first_id).tolist(),
            np.where(customer == GUEST, 0, customer + self.plan.first_id).tolist(),
            self.status[events].tolist(),
            self.version[events].tolist(),
            utc_text(self.visits.at[order]),
            utc_text(self.at[events]),
            (ends - sizes).tolist(),
            ends.tolist(),
            strict=True,
        )
        dumps = orjson.dumps
        return [
            None
            if status == DELETED
            else dumps(
                {
                    "order_id": f"O-{number}",
                    "customer_id": customer or None,
                    "status": STATUSES[status],
                    "version": version,
                    "ordered_at": ordered_at,
                    "updated_at": updated_at,
                    "currency": "EUR",
                    "lines": lines[start:end],
                }
            )
            for number, customer, status, version, ordered_at, updated_at, start, end in columns
        ]

    def _lines(self, events: Ints, order: Ints, sizes: Ints) -> list[dict[str, object]]:
        """The lines of all the events, one after the other."""
        nth = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        line = np.repeat(self.baskets.start[order], sizes) + nth
        is_return = np.repeat(self.status[events] == RETURNED, sizes)
        cents = self.baskets.unit_price[line]
        texts = {price: money_text(price) for price in np.unique(cents).tolist()}
        columns = zip(
            (nth + 1).tolist(),
            (self.baskets.book[line] + self.plan.first_id).tolist(),
            self.baskets.quantity[line].tolist(),
            cents.tolist(),
            np.repeat(self.number_prices[order], sizes).tolist(),
            np.where(is_return, self.returned[line], 0).tolist(),
            strict=True,
        )
        return [
            {
                "line_no": line_no,
                "book_id": book_id,
                "quantity": quantity,
                "unit_price": price / 100 if as_number else texts[price],
                "returned_quantity": returned,
            }
            for line_no, book_id, quantity, price, as_number, returned in columns
        ]


def orders_of(plan: Plan, visits: Visits, baskets: Baskets) -> Orders:
    draw = plan.draw("orders")
    times = _milestones(visits.at, draw)
    happened = times <= plan.closes_at
    entity, status = np.nonzero(happened)
    at = times[happened].astype(np.int64)
    # Milestones stand in the order in which they can happen, so a row of them is sorted by time.
    version = np.cumsum(happened, axis=1, dtype=np.int64)[happened]
    return Orders(
        topic="bookstore.orders",
        plan=plan,
        visits=visits,
        baskets=baskets,
        entity=entity,
        at=at,
        status=status,
        version=version,
        returned=_returned(baskets, draw),
        number_prices=draw.random(plan.orders) < PRICE_AS_NUMBER,
    )


def _milestones(ordered_at: Ints, draw: np.random.Generator) -> Floats:
    """When each order (row) reaches each status (column), a row's times ascending; `inf` where it never does."""
    count = len(ordered_at)
    fate = draw.random(count)
    cancelled = fate < CANCELS_UNPAID + CANCELS_PAID
    unpaid = fate < CANCELS_UNPAID
    returned = draw.random(count) < RETURNS
    deleted = draw.random(count) < DELETES
    times = np.full((count, len(STATUSES)), np.inf)
    times[:, PLACED] = ordered_at
    times[:, PAID] = times[:, PLACED] + _delay(draw, count, 60, 2 * HOUR)
    times[:, SHIPPED] = times[:, PAID] + _delay(draw, count, 4 * HOUR, 3 * DAY)
    times[:, DELIVERED] = times[:, SHIPPED] + _delay(draw, count, 12 * HOUR, 4 * DAY)
    times[:, RETURNED] = times[:, DELIVERED] + _delay(draw, count, 2 * DAY, 20 * DAY)
    times[:, DELETED] = times[:, RETURNED] + _delay(draw, count, HOUR, 5 * DAY)
    times[:, CANCELLED] = np.where(unpaid, times[:, PLACED], times[:, PAID]) + _delay(draw, count, 60, 4 * HOUR)
    times[unpaid, PAID] = np.inf
    times[cancelled, SHIPPED:CANCELLED] = np.inf
    times[~cancelled, CANCELLED] = np.inf
    times[cancelled | ~returned, RETURNED] = np.inf
    times[~deleted, DELETED] = np.inf
    return times


def _delay(draw: np.random.Generator, count: int, shortest: int, longest: int) -> Floats:
    return np.floor(draw.uniform(shortest, longest, count))


def _returned(baskets: Baskets, draw: np.random.Generator) -> Ints:
    """How many copies of each line come back: of an order's first line at least one."""
    returned = draw.random(len(baskets.book)) < LINE_RETURNED
    returned[baskets.start[:-1]] = True
    return np.where(returned, draw.integers(1, baskets.quantity, endpoint=True), 0)
