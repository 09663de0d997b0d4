"""Silver rows for tests: what a test doesn't mention gets an unremarkable value."""

import datetime as dt
import random
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMERS, ORDER_LINE_ITEMS, ORDERS, Table

Row = Mapping[str, Any]
STATUSES = ("placed", "paid", "shipped", "delivered", "cancelled", "returned")


def frame(spark: SparkSession, table: Table, rows: Iterable[Row]) -> DataFrame:
    """Rows with the columns of `table`; a column that a row leaves out is null."""
    return spark.createDataFrame([dict(row) for row in rows], schema=table.columns)


def store(lake: Lake, table: Table, rows_df: DataFrame) -> None:
    """Puts rows where the jobs find them, in one commit."""
    rows_df.write.format("delta").mode("overwrite").partitionBy(*table.partitioned_by).save(lake.path(table))


def customers(spark: SparkSession, *customer_ids: int) -> DataFrame:
    return frame(spark, CUSTOMERS, [{"customer_id": customer_id} for customer_id in customer_ids])


def orders(spark: SparkSession, rows: Iterable[Row]) -> DataFrame:
    return frame(spark, ORDERS, rows)


def order_lines(spark: SparkSession, rows: Iterable[Row]) -> DataFrame:
    return frame(spark, ORDER_LINE_ITEMS, rows)


def order(order_id: str, customer_id: int | None, ordered_at: str, amount: str, status: str = "delivered") -> Row:
    return {
        "order_id": order_id,
        "customer_id": customer_id,
        "ordered_at": dt.datetime.fromisoformat(ordered_at).replace(tzinfo=dt.UTC),
        "net_amount": Decimal(amount),
        "status": status,
    }


def random_orders(seed: int, *, count: int, customer_ids: int, days: int, until: dt.date) -> list[Row]:
    """Orders of customers and guests over the `days` before and the few after `until`, with many equal amounts."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    start = dt.datetime.combine(until, dt.time()) - dt.timedelta(days=days)
    rows = []
    for number in range(count):
        status = rng.choice(STATUSES)
        cents = 0 if status == "cancelled" else rng.choice([0, 500, 999, 1250, rng.randrange(10**6)])
        customer_id = rng.choice([None, rng.randrange(customer_ids), rng.randrange(customer_ids)])
        moment = start + dt.timedelta(seconds=rng.randrange((days + 3) * 86_400))
        rows.append(order(f"O-{number}", customer_id, moment.isoformat(), str(Decimal(cents) / 100), status))
    return rows


def rfm_row(snapshot_date: dt.date, customer_id: int, recency_days: int, frequency: int, monetary: str) -> Row:
    """A row of `gold.rfm`; its scores don't follow from the other rows."""
    return {
        "snapshot_date": snapshot_date,
        "customer_id": customer_id,
        "lookback_days": 365,
        "recency_days": recency_days,
        "frequency": frequency,
        "monetary": Decimal(monetary),
        "r_score": 5,
        "f_score": 5,
        "m_score": 5,
        "rfm_score": "555",
        "rfm_segment": "Champions",
    }
