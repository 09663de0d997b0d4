"""Change data capture on customers: `silver.customers` holds the latest row of each (type 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.auto_cdc import apply_changes
from spark_jobs.entry import run_job
from spark_jobs.lake import Lake
from spark_jobs.streams import drain, read_stream
from spark_jobs.tables import CUSTOMER_ROW, CUSTOMERS, CUSTOMERS_CHANGES, types
from spark_jobs.transforms.new_fields import added_columns

STEP = "merge_customers"


@dataclass(frozen=True)
class Config:
    lake_root: str
    catalog: str = ""


def run(spark: SparkSession, config: Config) -> dict[str, Any]:
    lake = Lake(config.lake_root, config.catalog)
    changes = read_stream(spark, lake, CUSTOMERS_CHANGES).where("op IS NOT NULL")
    lake.create(spark, CUSTOMERS)
    drain(changes, lake.checkpoint(STEP), partial(merge_changes, lake=lake))
    return {"rows": lake.read(spark, CUSTOMERS).count()}


def merge_changes(changes: DataFrame, _batch_id: int, *, lake: Lake) -> None:
    """Applies a batch of change events."""
    apply_changes(
        changes.sparkSession,
        target=lake.name(CUSTOMERS),
        source=changes.select(*types(CUSTOMER_ROW), *added_columns(changes, CUSTOMERS_CHANGES), "op", "sequence"),
        keys=CUSTOMERS.keys,
        sequence_by="sequence",
        apply_as_deletes="op = 'd'",
        apply_as_truncates="op = 't'",
        except_column_list=["op", "sequence"],
    )


def main(argv: Sequence[str] | None = None) -> None:
    run_job(STEP, Config, run, argv)


if __name__ == "__main__":
    main()
