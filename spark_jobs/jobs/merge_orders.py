"""The current state of every order in `silver.orders`, and its lines, described as of the order's time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.auto_cdc import apply_changes
from spark_jobs.entry import run_job
from spark_jobs.lake import Lake
from spark_jobs.order_lines import derive_lines
from spark_jobs.streams import drain, read_stream
from spark_jobs.tables import BOOK_REVISIONS, ORDER_EVENTS, ORDER_LINE_ITEMS, ORDER_ROW, ORDERS, types
from spark_jobs.transforms.new_fields import added_columns
from spark_jobs.transforms.orders import orders_to_revise, with_net_amount

STEP = "merge_orders"
_LAST_VERSION = 2**63 - 1


@dataclass(frozen=True)
class Config:
    lake_root: str
    catalog: str = ""


def run(spark: SparkSession, config: Config) -> dict[str, Any]:
    lake = Lake(config.lake_root, config.catalog)
    events = read_stream(spark, lake, ORDER_EVENTS).where("order_id IS NOT NULL")  # others are blank
    revisions = read_stream(spark, lake, BOOK_REVISIONS)
    lake.create(spark, ORDERS, ORDER_LINE_ITEMS)
    # Revisions first: the lines that are new in this run are described by today's history in any case.
    drain(revisions, lake.checkpoint(f"{STEP}_revisions"), partial(revise_lines, lake=lake))
    drain(events, lake.checkpoint(STEP), partial(merge_events, lake=lake))
    return {"rows": lake.read(spark, ORDERS).count(), "lines": lake.read(spark, ORDER_LINE_ITEMS).count()}


def merge_events(events: DataFrame, _batch_id: int, *, lake: Lake) -> None:
    """Brings the orders of a batch up to date, then their lines. Cut short between the two, the batch comes again."""
    apply_changes(
        events.sparkSession,
        target=lake.name(ORDERS),
        source=orders_of(events),
        keys=ORDERS.keys,
        sequence_by="version",
        apply_as_deletes="is_deleted",
        except_column_list=["is_deleted"],
    )
    derive_lines(lake, events.select("order_id").distinct())


def orders_of(events: DataFrame) -> DataFrame:
    """The events' orders with their net amount; a deletion comes after every version, since it is for good."""
    is_deleted = F.col("value").isNull()
    version = F.when(is_deleted, F.lit(_LAST_VERSION)).otherwise(F.col("version"))
    orders = events.withColumns({"is_deleted": is_deleted, "version": version}).transform(with_net_amount)
    return orders.select(*types(ORDER_ROW), *added_columns(events, ORDER_EVENTS), "net_amount", "is_deleted")


def revise_lines(revisions: DataFrame, _batch_id: int, *, lake: Lake) -> None:
    """Describes anew the lines that a late book event may have changed, whether or not their orders did."""
    orders = orders_to_revise(lake.read(revisions.sparkSession, ORDER_LINE_ITEMS), revisions)
    # Most book events are about the time to come; a MERGE that changes nothing would still cost a dozen statements.
    if not orders.isEmpty():
        derive_lines(lake, orders)


def main(argv: Sequence[str] | None = None) -> None:
    run_job(STEP, Config, run, argv)


if __name__ == "__main__":
    main()
