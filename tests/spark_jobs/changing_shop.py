"""A shop whose orders change, beside a plain Python account of what each partition of `gold.rfm` should hold."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.jobs import aggregate_rfm
from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMERS, ORDERS, RFM
from tests.spark_jobs.bookstore import STATUSES, Row, customers, frame, order, store
from tests.spark_jobs.plain_rfm import plain_rfm

_COLUMNS = ("order_id", "customer_id", "status", "ordered_at", "net_amount")


@dataclass
class Shop:
    """A lake, and beside it in plain Python what its tables should hold."""

    spark: SparkSession
    lake: Lake
    customer_ids: set[int]
    orders: dict[str, Row] = field(default_factory=dict)
    partitions: dict[dt.date, list[tuple[Any, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lake.create(self.spark, ORDERS)
        self.keep_customers(self.customer_ids)

    def keep_customers(self, customer_ids: Iterable[int]) -> None:
        self.customer_ids = set(customer_ids)
        store(self.lake, CUSTOMERS, customers(self.spark, *self.customer_ids))

    def commit(self, *changed: Row, deleted: Iterable[str] = ()) -> None:
        """New and changed orders, and the ids of deleted ones, in one MERGE as `merge_orders` makes them."""
        self.orders.update({row["order_id"]: row for row in changed})
        gone = [self.orders.pop(order_id) for order_id in deleted]
        puts = frame(self.spark, ORDERS, changed).withColumn("is_gone", F.lit(False))
        drops = frame(self.spark, ORDERS, gone).withColumn("is_gone", F.lit(True))
        target = self.lake.name(ORDERS)
        merge = (
            puts.unionByName(drops).alias("change").mergeInto(target, F.expr(f"{target}.order_id = change.order_id"))
        )
        columns = {name: F.col(f"change.{name}") for name in _COLUMNS}
        merge.whenMatched(F.col("change.is_gone")).delete().whenMatched().update(columns).whenNotMatched().insert(
            columns
        ).merge()

    def run(self, snapshot_date: dt.date, lookback_days: int) -> dict[str, Any]:
        self.expect(snapshot_date, lookback_days)
        return dict(aggregate_rfm.run(self.spark, aggregate_rfm.Config(self.lake.root, snapshot_date, lookback_days)))

    def expect(self, snapshot_date: dt.date, lookback_days: int) -> None:
        rows = plain_rfm(self.customer_ids, self.orders.values(), snapshot_date, lookback_days)
        self.partitions[snapshot_date] = rows

    def check(self) -> None:
        actual = sorted(tuple(row) for row in self.lake.read(self.spark, RFM).collect())
        assert actual == sorted(row for rows in self.partitions.values() for row in rows)


def changed(old: Row, rng: Random) -> Row:
    """What may become of an order: paid, returned in part or whole, cancelled, of somebody else, of another time."""
    amount = rng.choice([old["net_amount"], old["net_amount"], Decimal("0.00"), Decimal("4.99")])
    moved = dt.timedelta(seconds=rng.choice([0, 0, 0, rng.randrange(-40, 40) * 43_200]))
    customer_id = rng.choice([*[old["customer_id"]] * 5, None, rng.randrange(12)])
    return {
        **old,
        "status": rng.choice(STATUSES),
        "net_amount": amount,
        "ordered_at": old["ordered_at"] + moved,
        "customer_id": customer_id,
    }


def at(order_id: str, customer_id: int, day: dt.date, amount: str = "5.00", status: str = "paid") -> Row:
    return order(order_id, customer_id, f"{day.isoformat()}T12:00:00", amount, status)
