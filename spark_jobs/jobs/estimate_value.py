"""Estimates what each customer will buy: `silver.customers`, `orders` -> `gold.customer_value`, `gold.value_models`."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.entry import Result, run_job
from spark_jobs.errors import ArgumentError, MissingTableError, TooLittleDataError
from spark_jobs.lake import Lake
from spark_jobs.partitions import on
from spark_jobs.tables import CUSTOMER_VALUE, CUSTOMERS, ORDERS, VALUE_MODELS
from spark_jobs.transforms.purchases import held_out, histories, purchase_days
from spark_jobs.transforms.rfm import counted_orders
from spark_jobs.value.histories import Histories, sample
from spark_jobs.value.holdout import HoldoutTest, judge
from spark_jobs.value.model import ValueModel, estimated


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        snapshot_date: The partition: the last UTC day that is known. All history up to it counts, whatever the RFM
            partition looks back to: a model of lifetimes needs their beginnings.
        horizon_days: How many days after it are estimated.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    snapshot_date: dt.date
    horizon_days: int = 90
    catalog: str = ""

    def __post_init__(self) -> None:
        if self.horizon_days < 1:
            raise ArgumentError(f"--horizon_days must be at least 1, found {self.horizon_days}")


def run(spark: SparkSession, config: Config) -> Result:
    """Replaces the partition of `snapshot_date` and no other; with too little data, leaves it empty and says why."""
    lake = Lake(config.lake_root, config.catalog)
    try:
        days = _purchase_days(spark, lake, config.snapshot_date)
        known = histories(days, config.snapshot_date)
        drawn = Histories.of(sample(known))
        model = ValueModel.fit(drawn, until=config.snapshot_date)
    except (MissingTableError, TooLittleDataError) as error:
        for table in (CUSTOMER_VALUE, VALUE_MODELS):
            lake.clear(spark, table, on(config.snapshot_date))
        return {"snapshot_date": config.snapshot_date, "rows": 0, "skipped": str(error)}
    test = _held_out_test(days, config)
    estimates = estimated(known, model, snapshot_date=config.snapshot_date, horizon_days=config.horizon_days)
    lake.replace(spark, CUSTOMER_VALUE, estimates, where=on(config.snapshot_date))
    row = spark.createDataFrame([_row(config, drawn.customers, model, test)], schema=VALUE_MODELS.columns)
    lake.replace(spark, VALUE_MODELS, row, where=on(config.snapshot_date))
    return {"snapshot_date": config.snapshot_date, "customers": drawn.customers, "verdict": test.verdict}


def _purchase_days(spark: SparkSession, lake: Lake, snapshot_date: dt.date) -> DataFrame:
    customers, orders = lake.read(spark, CUSTOMERS), lake.read(spark, ORDERS)
    return purchase_days(counted_orders(customers, orders, snapshot_date=snapshot_date, lookback_days=0))


def _held_out_test(days: DataFrame, config: Config) -> HoldoutTest:
    cut = config.snapshot_date - dt.timedelta(days=config.horizon_days)
    return judge(sample(held_out(days, config.snapshot_date, config.horizon_days)), cut, config.horizon_days)


def _row(config: Config, customers: int, model: ValueModel, test: HoldoutTest) -> tuple[object, ...]:
    errors = [number for one in (test.purchases, test.value) for number in (astuple(one) if one else (None, None))]
    parameters = (*astuple(model.purchases), *astuple(model.spending))
    start = (config.snapshot_date, customers, *parameters, config.horizon_days)
    return (*start, test.customers, *errors, test.is_better, test.verdict)


def main(argv: Sequence[str] | None = None) -> None:
    run_job("estimate_value", Config, run, argv)


if __name__ == "__main__":
    main()
