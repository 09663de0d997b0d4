"""A broker with topics of order events, made up as `localcloud produce` does."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from localcloud.bookstore.plan import Plan
from localcloud.bookstore.shop import shop_of
from localcloud.bookstore.stream import Message, chunks
from localcloud.services.kafka import PARTITIONS
from tests.broker import Broker, running_broker

TOPIC = "bookstore.orders"
_BY_KEY = -1
_EVENTS_PER_ORDER = 3.5
_START = dt.date(2026, 1, 1)


@contextmanager
def broker_with_orders(folder: Path, events: int) -> Iterator[Broker]:
    """A running broker whose topic of orders has about so many events; those of customers and books are empty."""
    with running_broker(folder) as broker:
        broker.empty()
        broker.grow(TOPIC, PARTITIONS)
        for batch in order_events(events):
            broker.produce(TOPIC, batch, _BY_KEY)
        yield broker


def order_events(events: int) -> Iterator[list[Message]]:
    """About so many, in batches and in the order in which they happened."""
    orders = max(1, round(events / _EVENTS_PER_ORDER))
    plan = Plan(max(1, orders // 10), 5_000, orders, _START, _START + dt.timedelta(days=364))
    stream = shop_of(plan).orders
    in_order = stream.in_true_order()[:events]
    for places in chunks(np.asarray(in_order)):
        yield stream.messages(places)
