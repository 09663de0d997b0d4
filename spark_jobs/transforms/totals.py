"""What the orders of some days add up to for every customer id: from the orders, or from the totals of other days."""

import datetime as dt
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.transforms.rfm import counts, ordered_within, utc_date

_GAINS = ("insert", "update_postimage")
"""How Delta's change data calls a row that is there after a commit; the others were there before."""


@dataclass(frozen=True)
class Window:
    """The days that count: `lookback_days` up to and including `snapshot_date`; 0 for all history."""

    snapshot_date: dt.date
    lookback_days: int

    def holds(self) -> Column:
        return ordered_within(self.snapshot_date, self.lookback_days)


def totals_of(orders: DataFrame, window: Window) -> DataFrame:
    """Adds up the orders that count, whether or not their customer is known.

    Returns:
        One row per customer id: `last_day`, of the newest order; `orders`, how many; `cents`, what they are worth.
    """
    counted = _counted(orders.where(window.holds()))
    return (
        counted.groupBy("customer_id")
        .agg(F.max("ordered_at").alias("last_at"), F.count("*").alias("orders"), F.sum("cents").alias("cents"))
        .select("customer_id", utc_date("last_at").alias("last_day"), "orders", "cents")
    )


def differences(changes: DataFrame, orders: DataFrame, *, before: Window, after: Window) -> DataFrame:
    """What tells the totals of `after` from those of `before` as they were some commits ago.

    The sum over all orders as they are, in `after`, less that over all as they were, in `before`, is
    - what the commits since have changed in `before`, and
    - the orders as they are of the days that are in one of the two only.

    Args:
        changes: Delta's change data of `silver.orders` of all the commits since.
        orders: `silver.orders` after them.
        before: The days that the known totals are of.
        after: The days that are asked for.

    Returns:
        Of each customer id with a difference: `more_orders` and `more_cents`, which may be negative; `newest_day` among
        the days that have won orders; `lessened`, the days that have lost some.
    """
    enters, leaves = after.holds() & ~before.holds(), before.holds() & ~after.holds()
    corrected = _signed(changes.where(before.holds()), gains=F.col("_change_type").isin(*_GAINS))
    moved = _signed(orders.where(enters | leaves), gains=after.holds())
    # An order that was paid or shipped meanwhile was taken away as it was and added as it is: nothing is left of that.
    by_day = corrected.unionByName(moved).groupBy("customer_id", "day")
    net = by_day.agg(F.sum("orders").alias("orders"), F.sum("cents").alias("cents"))
    return (
        net.where((F.col("orders") != 0) | (F.col("cents") != 0))
        .groupBy("customer_id")
        .agg(
            F.sum("orders").alias("more_orders"),
            F.sum("cents").alias("more_cents"),
            F.max(F.when(F.col("orders") > 0, F.col("day"))).alias("newest_day"),
            F.collect_list(F.when(F.col("orders") < 0, F.col("day"))).alias("lessened"),
        )
    )


def totals_after(base: DataFrame, differing: DataFrame, orders: DataFrame, *, after: Window) -> DataFrame:
    """The totals of `after`, from those of other days and what tells them apart; the same as `totals_of`.

    Args:
        base: The known totals.
        differing: As `differences` gives them.
        orders: `silver.orders`. Read only for the customers whose newest order is gone: what is the newest now?
        after: The days that are asked for.
    """
    changed = base.join(differing, "customer_id", "left").select(
        "customer_id",
        F.when(_is_gone(), F.col("newest_day")).otherwise(F.greatest("last_day", "newest_day")).alias("last_day"),
        (F.col("orders") + F.coalesce("more_orders", F.lit(0))).alias("orders"),
        (F.col("cents") + F.coalesce("more_cents", F.lit(0))).alias("cents"),
        (_is_gone() & F.coalesce(F.col("newest_day") < F.col("last_day"), F.lit(True))).alias("is_unsure"),
    )
    new = differing.join(base, "customer_id", "left_anti").select(
        "customer_id",
        F.col("newest_day").alias("last_day"),
        F.col("more_orders").alias("orders"),
        F.col("more_cents").alias("cents"),
        F.lit(False).alias("is_unsure"),
    )
    found = changed.unionByName(new).where(F.col("orders") > 0)
    unsure = found.where("is_unsure").select("customer_id")
    looked_up = totals_of(orders.join(unsure, "customer_id", "left_semi"), after)
    newest = looked_up.select("customer_id", F.col("last_day").alias("looked_up"))
    last_day = F.coalesce("looked_up", "last_day").alias("last_day")
    return found.join(newest, "customer_id", "left").select("customer_id", last_day, "orders", "cents")


def _is_gone() -> Column:
    """Whether the newest day has lost orders, and may have none left."""
    return F.coalesce(F.array_contains("lessened", F.col("last_day")), F.lit(False))


def _counted(orders: DataFrame) -> DataFrame:
    """The orders that count of somebody; whole cents, since sums of decimals take several times as long."""
    cents = (F.col("net_amount") * 100).cast("bigint")
    return orders.where(counts() & F.col("customer_id").isNotNull()).withColumn("cents", cents)


def _signed(orders: DataFrame, *, gains: Column) -> DataFrame:
    sign = F.when(gains, F.lit(1)).otherwise(F.lit(-1)).cast("bigint")
    return _counted(orders).select(
        "customer_id",
        utc_date("ordered_at").alias("day"),
        sign.alias("orders"),
        (sign * F.col("cents")).alias("cents"),
    )
