"""Run by test_storage_faults.py, and killed: a driver of its own that makes one call on a table behind the proxy."""

import json
import sys

from spark_jobs.session import get_session
from tests.spark_jobs.auto_cdc.ledger import CALL, Ledger


def main(scd_type: str, location: str) -> None:
    spark = get_session()
    for name, value in json.loads(sys.stdin.read()).items():
        spark.conf.set(name, value)
    spark.sql(f"CREATE TABLE target USING delta LOCATION '{location}'")
    Ledger(2 if scd_type == "2" else 1).apply(spark, "target", CALL)


if __name__ == "__main__":
    main(*sys.argv[1:])
