"""Erases one customer everywhere: bronze, silver, gold, the campaigns' files, and every earlier version of them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession

from spark_jobs.entry import Result, run_job
from spark_jobs.errors import ArgumentError
from spark_jobs.forgetting.erasure import Erasure, erase
from spark_jobs.forgetting.holdings import customer_tables
from spark_jobs.forgetting.receipts import read_receipt
from spark_jobs.forgetting.register import complete, register
from spark_jobs.lake import Lake
from spark_jobs.tables import ERASURES


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        customer_id: Who is erased.
        confirm: The same id once more, since nothing brings back what is erased.
        alone: Whether nothing else is writing to the lake. Then files of earlier versions go at once, and with them
            what a writer would be about to commit; otherwise `maintain_tables` removes them, once nobody needs them.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    customer_id: int
    confirm: int
    alone: bool = False
    catalog: str = ""

    def __post_init__(self) -> None:
        if self.confirm != self.customer_id:
            raise ArgumentError(
                f"--confirm must be the customer_id once more, found {self.confirm} for {self.customer_id}: "
                f"nothing was erased"
            )


def run(spark: SparkSession, config: Config) -> Result:
    """Can be repeated, whether it died or not, and then says what all runs together have erased."""
    lake = Lake(config.lake_root, config.catalog)
    tables = customer_tables(spark, lake)
    lake.create(spark, ERASURES, *tables)
    digest = register(spark, lake, config.customer_id, dt.datetime.now(dt.UTC))
    erase(Erasure(spark, lake, tables, config.customer_id, digest, config.alone))
    if config.alone:
        complete(spark, lake, erased_before=dt.datetime.now(dt.UTC))
    erased = read_receipt(spark, lake, digest)
    return {"digest": digest, "rows": sum(erased.values()), "erased": erased, "is_complete": config.alone}


def main(argv: Sequence[str] | None = None) -> None:
    run_job("forget_customer", Config, run, argv)


if __name__ == "__main__":
    main()
