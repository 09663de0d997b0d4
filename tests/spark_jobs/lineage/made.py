"""Every table that a plan makes, made of empty tables by the code that makes it in the jobs."""

import datetime as dt
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, cast

import pytest
from pyspark.sql import DataFrame, SparkSession

from spark_jobs.jobs import merge_customers, merge_orders, recommend_books, upsert_books
from spark_jobs.lake import Lake
from spark_jobs.lineage.columns import ColumnLineage
from spark_jobs.partitions import partition
from spark_jobs.segmentation.features import Scaling
from spark_jobs.segmentation.model import Cluster, Model
from spark_jobs.segmentation.scoring import assigned
from spark_jobs.tables import (
    AUDIENCES,
    BOOKS_CHANGES,
    BOOKS_HISTORY,
    CUSTOMER_ORDERS,
    CUSTOMER_SEGMENTS,
    CUSTOMER_VALUE,
    CUSTOMERS,
    CUSTOMERS_CHANGES,
    ORDER_EVENTS,
    ORDER_LINE_ITEMS,
    ORDERS,
    RECOMMENDATIONS,
    RFM,
    RFM_SCHEMES,
    SEGMENT_MIGRATIONS,
    Table,
)
from spark_jobs.transforms.audiences import audience
from spark_jobs.transforms.comparisons import migrations
from spark_jobs.transforms.customer_orders import customer_orders
from spark_jobs.transforms.orders import describe_lines
from spark_jobs.transforms.purchases import histories, purchase_days
from spark_jobs.transforms.rfm import QUINTILES, counted_orders, rfm, scheme_rows, with_scores
from spark_jobs.transforms.totals import Window, totals_of
from spark_jobs.value.model import ValueModel, estimated
from spark_jobs.value.purchases import PurchaseModel
from spark_jobs.value.spending import SpendingModel
from tests.spark_jobs.lineage.plans import empty, lineage_of

DAY = dt.date(2026, 1, 31)
CENTRES = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
MODEL = Model(
    DAY,
    seed=1,
    scaling=Scaling((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    clusters=tuple(Cluster(number, str(number), centre) for number, centre in enumerate(CENTRES)),
    next_cluster_id=2,
)
VALUE_MODEL = ValueModel(PurchaseModel(1.0, 1.0, 1.0, 2.0), SpendingModel(2.0, 2.0, 1.0))

Captured = dict[str, Any]


class _Captured(Exception):  # noqa: N818 - ends a call whose arguments are all that is wanted
    def __init__(self, arguments: Captured) -> None:
        self.arguments = arguments


class EmptyLake:
    """A lake in which each table is there and empty."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark

    def read(self, _: SparkSession, table: Table) -> DataFrame:
        return empty(self.spark, table)

    def name(self, table: Table) -> str:
        return table.full_name


def lineages(spark: SparkSession, patch: pytest.MonkeyPatch) -> dict[Table, ColumnLineage]:
    """The lineage of every table that a plan makes."""
    return _captured_changes(spark, patch) | {table: lineage_of(rows) for table, rows in _made(spark).items()}


def _made(spark: SparkSession) -> dict[Table, DataFrame]:
    def of(table: Table) -> DataFrame:
        return empty(spark, table)

    totals = totals_of(of(ORDERS), Window(DAY, 365))
    days = days_of_purchases(spark)
    lake = cast("Lake", EmptyLake(spark))
    of_day = partition(lake, spark, RFM, DAY)
    with ExitStack() as caches:
        recommended = recommend_books._recommended(spark, lake, DAY, of_day, 365, caches=caches)
    return {
        ORDER_LINE_ITEMS: describe_lines(of(ORDERS), of(BOOKS_HISTORY)),
        CUSTOMER_ORDERS: customer_orders(of(CUSTOMERS), of(ORDERS), of(ORDER_LINE_ITEMS)),
        RFM: rfm(of(CUSTOMERS), totals, snapshot_date=DAY, lookback_days=365),
        RFM_SCHEMES: scheme_rows(with_scores(of_day, QUINTILES), QUINTILES),
        CUSTOMER_SEGMENTS: assigned(of_day, MODEL),
        SEGMENT_MIGRATIONS: migrations(of(CUSTOMER_SEGMENTS), earlier=DAY, later=DAY + dt.timedelta(days=1)),
        CUSTOMER_VALUE: estimated(histories(days, DAY), VALUE_MODEL, snapshot_date=DAY, horizon_days=90),
        RECOMMENDATIONS: recommended,
        AUDIENCES: audience(
            of(CUSTOMERS), of_day, campaign="spring", segment="Champions", held_out_share=0.1,
            exported_at=dt.datetime(2026, 1, 31, tzinfo=dt.UTC),
        ),
    }  # fmt: skip


def days_of_purchases(spark: SparkSession) -> DataFrame:
    """What `estimate_value` fits its models to."""
    customers, orders = empty(spark, CUSTOMERS), empty(spark, ORDERS)
    return purchase_days(counted_orders(customers, orders, snapshot_date=DAY, lookback_days=0))


def _captured_changes(spark: SparkSession, patch: pytest.MonkeyPatch) -> dict[Table, ColumnLineage]:
    """What the jobs hand to change data capture, and which columns that keeps."""
    jobs: dict[Table, tuple[Any, Callable[..., None], Table]] = {
        CUSTOMERS: (merge_customers, merge_customers.merge_changes, CUSTOMERS_CHANGES),
        BOOKS_HISTORY: (upsert_books, upsert_books.upsert_changes, BOOKS_CHANGES),
        ORDERS: (merge_orders, merge_orders.merge_events, ORDER_EVENTS),
    }
    found = {}
    for table, (job, apply, source) in jobs.items():
        patch.setattr(job, "apply_changes", _capture)
        with pytest.raises(_Captured) as captured:
            apply(empty(spark, source), 0, lake=EmptyLake(spark))
        found[table] = _kept(captured.value.arguments)
    return found


def _capture(*_: object, **arguments: Any) -> None:
    raise _Captured(arguments)


def _kept(arguments: Captured) -> ColumnLineage:
    """The target's lineage: columns by their names, rows by keys, sequence and conditions."""
    told = lineage_of(arguments["source"])
    columns = {name: of for name, of in told.columns.items() if name not in arguments["except_column_list"]}
    conditions = f"{arguments.get('apply_as_deletes', '')} {arguments.get('apply_as_truncates', '')}".split()
    deciding = [*arguments["keys"], arguments["sequence_by"], *(word for word in conditions if word in told.columns)]
    if arguments.get("stored_as_scd_type") == 2:
        columns |= dict.fromkeys(("__START_AT", "__END_AT"), told.columns[arguments["sequence_by"]])
    return ColumnLineage(columns, told.rows.union(*(told.columns[name] for name in deciding)))
