"""One customer erased everywhere, in an order in which a run that died anywhere can be repeated.

1. The messages in bronze become blank. Quarantine first, since their addresses tell what of it is the customer's.
2. Silver reads past that commit, while the files of before are still there: a stream that is behind looks for them.
3. The rows go from silver and gold. A campaign's files are written anew between its customers and its audience, which
   says what files there are.
4. Files are written anew whose rows are only marked as deleted. Those of earlier versions are removed where nothing
   else is writing; otherwise `maintain_tables` does it, once they are `KEPT_HOURS` old.
5. All is counted once more. What a job that was under way has brought meanwhile is erased in another round.
"""

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.campaigns.files import write_files
from spark_jobs.conflicts import until_no_conflict
from spark_jobs.errors import StillWritingError
from spark_jobs.forgetting.files import leave_no_rows, remove_old_files
from spark_jobs.forgetting.holdings import Holding, companions, in_bronze, in_tables
from spark_jobs.forgetting.receipts import count_rows, note
from spark_jobs.jobs import merge_customers, merge_orders
from spark_jobs.lake import Lake
from spark_jobs.tables import AUDIENCES, CUSTOMERS, ORDERS, RFM_TOTALS, Table
from spark_jobs.upkeep import few_listing_tasks

KEPT_HOURS = 24
"""No job, and no query of a job's, takes longer: what is older nobody needs any more."""
_ROUNDS = 3
_ATTEMPTS = 5
_SIDE_BY_SIDE = 4


@dataclass(frozen=True)
class Erasure:
    """What a run erases.

    Attributes:
        tables: The lake's tables that may have rows about a customer.
        digest: The customer's in the register.
        alone: Whether nothing else is writing to the lake, so that all old files can go at once.
    """

    spark: SparkSession
    lake: Lake
    tables: Sequence[Table]
    customer_id: int
    digest: str
    alone: bool


def erase(erasure: Erasure) -> None:
    """Erases until nothing is found any more.

    Raises:
        StillWritingError: Other jobs kept writing what was erased.
    """
    for _ in range(_ROUNDS):
        _erase_once(erasure)
        left = _count(erasure, [*_bronze(erasure), *_tables(erasure)])
        if not any(left.values()):
            return
    found = ", ".join(sorted(holder for holder, rows in left.items() if rows))
    raise StillWritingError(
        f"nothing of the customer must be left, and {found} had rows again after {_ROUNDS} rounds: other jobs are "
        f"writing what they read before; wait until they are done and run forget_customer again"
    )


def _erase_once(erasure: Erasure) -> None:
    _erase_held(erasure, _bronze(erasure))
    refresh_silver(erasure.spark, erasure.lake, erasure.tables)
    _erase_held(erasure, _tables(erasure))
    _leave_no_files(erasure)


def _leave_no_files(erasure: Erasure) -> None:
    spark, lake = erasure.spark, erasure.lake
    names = [*map(lake.name, erasure.tables), *companions(spark, lake, erasure.tables).values()]
    with few_listing_tasks(spark), ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        list(pool.map(lambda name: until_no_conflict(lambda: leave_no_rows(spark, name), attempts=_ATTEMPTS), names))
        if erasure.alone:
            list(pool.map(lambda name: remove_old_files(spark, name), names))


def refresh_silver(spark: SparkSession, lake: Lake, tables: Sequence[Table]) -> None:
    """Brings the tables about customers up to date with bronze, where there are any."""
    if CUSTOMERS in tables:
        merge_customers.run(spark, merge_customers.Config(lake.root, lake.catalog))
    if ORDERS in tables:
        merge_orders.run(spark, merge_orders.Config(lake.root, lake.catalog))


def _bronze(erasure: Erasure) -> list[Holding]:
    return in_bronze(erasure.spark, erasure.lake, erasure.tables, erasure.customer_id)


def _tables(erasure: Erasure) -> list[Holding]:
    return in_tables(erasure.spark, erasure.lake, erasure.tables, erasure.customer_id)


def _count(erasure: Erasure, holdings: Sequence[Holding]) -> dict[str, int]:
    counts = count_rows(holdings)
    note(erasure.spark, erasure.lake, erasure.digest, counts, dt.datetime.now(dt.UTC))
    return counts


def _erase_held(erasure: Erasure, holdings: Sequence[Holding]) -> None:
    counts = _count(erasure, holdings)
    for holding in holdings:
        if counts[holding.holder]:
            if holding.target == erasure.lake.name(AUDIENCES):
                _write_files_anew(erasure)
            until_no_conflict(holding.erase, attempts=_ATTEMPTS)
    if RFM_TOTALS in erasure.tables and counts.get(f"{RFM_TOTALS.layer}.{RFM_TOTALS.name}"):
        # Carried on with what has changed since, totals that lack a customer would come out wrong.
        erasure.lake.clear(erasure.spark, RFM_TOTALS, "true")


def _write_files_anew(erasure: Erasure) -> None:
    """Every file that the customer is in, without them."""
    spark, lake = erasure.spark, erasure.lake
    audiences, customers = lake.read(spark, AUDIENCES), lake.read(spark, CUSTOMERS)
    written_to = audiences.where((F.col("customer_id") == erasure.customer_id) & ~F.col("is_held_out"))
    for row in written_to.select("campaign", "snapshot_date").distinct().collect():
        of_file = (F.col("campaign") == row["campaign"]) & (F.col("snapshot_date") == row["snapshot_date"])
        write_files(audiences.where(of_file), customers, lake, row["campaign"], row["snapshot_date"])
