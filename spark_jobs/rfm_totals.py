"""`ops.rfm_totals`: what a partition's orders add up to, carried on from that of a near date where there is one.

Adding up a large shop's orders costs more than all the rest of a partition. But the totals of the day before are the
same but for a day at either end and for what was corrected since, which Delta's change data tells. So each partition's
totals are stored with the version of `silver.orders` that they are of. Stored totals are never wrong, only of another
version or date. Where none is near, or the change data is gone, the window's orders are added up.
"""

import datetime as dt
from contextlib import ExitStack
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.caching import cached
from spark_jobs.lake import Lake
from spark_jobs.partitions import latest_partition, on
from spark_jobs.tables import ORDERS, RFM_TOTALS
from spark_jobs.transforms.totals import Window, differences, totals_after, totals_of

SMALL_BYTES = 64 * 2**20
"""Orders of this size are added up sooner than differences are found."""
_NEAR_DAYS = 8
"""How far the date may be whose totals are carried on: a weekly schedule still finds the last one."""
_MOST_COMMITS = 2_000
"""How many commits of `silver.orders` may lie between: each has files of its own to read."""
_KEEPS_CHANGES = "delta.enableChangeDataFeed"
_GONE = (
    "FILE_NOT_EXIST",
    "FileNotFoundException",
    "DELTA_MISSING_CHANGE_DATA",
    "DELTA_VERSION_NOT_CONTIGUOUS",
    "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE",
)
"""What errors say where a version's change data isn't there, or no more, or has other types."""
_TOTALS = ("customer_id", "last_day", "orders", "cents")


@dataclass(frozen=True)
class Orders:
    """`silver.orders` as a run sees it.

    Attributes:
        table_id: Tells it from one that was dropped and created anew.
        version: Delta's version.
        has_changes: Whether change data is kept.
        size: Bytes.
    """

    table_id: str
    version: int
    has_changes: bool
    size: int


@dataclass(frozen=True)
class Stored:
    """Totals that can be carried on: whose window they are of, and of which version of the orders."""

    window: Window
    version: int


def totals(spark: SparkSession, lake: Lake, window: Window) -> tuple[DataFrame, Stored | None]:
    """The totals of a window, and what they were carried on from; stored, unless the shop is small."""
    orders = _describe(spark, lake)
    rows = lake.read(spark, ORDERS, version=orders.version)
    if orders.size < SMALL_BYTES or not orders.has_changes:
        return totals_of(rows, window), None
    base = _carry_on(spark, lake, orders, window)
    if base is None:
        _replace(spark, lake, orders, window, totals_of(rows, window))
    # Of one version, since a run of the same date may replace them: then its totals are as good.
    stored = lake.read(spark, RFM_TOTALS, version=lake.version(spark, RFM_TOTALS))
    return stored.where(_selects(window)), base


def forget_old_totals(spark: SparkSession, lake: Lake) -> None:
    """Drops the totals that the next dates can't be carried on from; older dates are added up from all orders then."""
    if lake.exists(spark, RFM_TOTALS):
        newest = latest_partition(lake, spark, RFM_TOTALS)
        if newest is not None:
            oldest = newest - dt.timedelta(days=_NEAR_DAYS)
            lake.clear(spark, RFM_TOTALS, f"snapshot_date < DATE'{oldest.isoformat()}'")


def _describe(spark: SparkSession, lake: Lake) -> Orders:
    detail = spark.sql(f"DESCRIBE DETAIL delta.`{lake.path(ORDERS)}`").select("id", "sizeInBytes", "properties")
    found = detail.collect()[0]
    has_changes = found.properties.get(_KEEPS_CHANGES) == "true"
    return Orders(found.id, lake.version(spark, ORDERS), has_changes, found.sizeInBytes)


def _carry_on(spark: SparkSession, lake: Lake, orders: Orders, window: Window) -> Stored | None:
    """Stores the totals as they follow from others; None where there are none that they can follow from."""
    if not lake.exists(spark, RFM_TOTALS):
        return None
    # Of one version: what is found must still be there when it is read.
    stored = lake.read(spark, RFM_TOTALS, version=lake.version(spark, RFM_TOTALS))
    base = _nearest(stored, orders, window)
    if base is None:
        return None
    try:
        _store_carried(spark, lake, orders, stored, base=base, window=window)
    except Exception as error:
        if any(gone in str(error) for gone in _GONE):
            return None
        raise
    return base


def _store_carried(
    spark: SparkSession, lake: Lake, orders: Orders, stored: DataFrame, *, base: Stored, window: Window
) -> None:
    rows = lake.read(spark, ORDERS, version=orders.version)
    changes = lake.changes(spark, ORDERS, after=base.version, until=orders.version)
    known = stored.where(_selects(base.window) & (F.col("orders_version") == base.version)).select(*_TOTALS)
    with ExitStack() as caches:
        differing = cached(differences(changes, rows, before=base.window, after=window), caches)
        _replace(spark, lake, orders, window, totals_after(known, differing, rows, after=window))


def _nearest(stored: DataFrame, orders: Orders, window: Window) -> Stored | None:
    """The totals to carry on: of the nearest date, and of that the newest."""
    found = [
        one
        for one in _stored_of(stored, orders, window.lookback_days)
        if 0 <= orders.version - one.version <= _MOST_COMMITS and _distance(one.window, window) <= _NEAR_DAYS
    ]
    return min(found, key=lambda one: (_distance(one.window, window), -one.version), default=None)


def _distance(one: Window, other: Window) -> int:
    return abs((one.snapshot_date - other.snapshot_date).days)


def _stored_of(stored: DataFrame, orders: Orders, lookback_days: int) -> list[Stored]:
    """Told from the names of the files alone."""
    ours = stored.where((F.col("orders_id") == orders.table_id) & (F.col("lookback_days") == lookback_days))
    levels = len(RFM_TOTALS.partitioned_by)
    folders = {tuple(file.split("/")[-levels - 1 : -1]) for file in ours.inputFiles()}
    found = [dict(level.split("=") for level in folder) for folder in folders]
    return [
        Stored(Window(dt.date.fromisoformat(of["snapshot_date"]), lookback_days), int(of["orders_version"]))
        for of in found
    ]


def _replace(spark: SparkSession, lake: Lake, orders: Orders, window: Window, rows: DataFrame) -> None:
    of = rows.select(
        F.lit(window.lookback_days).alias("lookback_days"),
        F.lit(window.snapshot_date).alias("snapshot_date"),
        F.lit(orders.table_id).alias("orders_id"),
        F.lit(orders.version).cast("bigint").alias("orders_version"),
        *_TOTALS,
    )
    where = f"{on(window.snapshot_date)} AND lookback_days = {window.lookback_days}"
    lake.replace_at_last(spark, RFM_TOTALS, of, where=where)


def _selects(window: Window) -> Column:
    return (F.col("snapshot_date") == F.lit(window.snapshot_date)) & (F.col("lookback_days") == window.lookback_days)
