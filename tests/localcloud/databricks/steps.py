"""What the tests run on the local workspace: each public function is an entry point of a wheel."""
# ruff: noqa: T201, PTH - a job's output is what it prints

import os
import sys
import time
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession


def count_rows() -> None:
    spark = SparkSession.builder.getOrCreate()
    print("arguments", sys.argv[1:])
    print(f'RESULT {{"rows":{spark.range(7).count()}}}')


def fail() -> None:
    raise ValueError("the month has no day 32")


def fail_until_third_attempt() -> None:
    tries = Path(sys.argv[1])
    attempts = len(tries.read_text()) if tries.exists() else 0
    tries.write_text("x" * (attempts + 1))
    print("attempt", attempts)
    if attempts < 2:
        raise ValueError("not yet")


def show_environment() -> None:
    print(sorted(name for name in os.environ if name != "SPARK_CONNECT_MODE_ENABLED"))
    print(os.environ["GREETING"])


def print_secret() -> None:
    print("the key is", os.environ["PASSWORD"], flush=True)
    raise ValueError(f"could not use {os.environ['PASSWORD']}")


def wait_forever() -> None:
    print("waiting", os.getpid(), flush=True)
    time.sleep(600)


def stream_forever() -> None:
    """A streaming query whose batches a Python worker of the server handles."""
    spark = SparkSession.builder.getOrCreate()
    rate = spark.readStream.format("rate").load()
    query = (
        rate.writeStream.foreachBatch(_count_batch).option("checkpointLocation", f"{sys.argv[1]}/checkpoint").start()
    )
    print("streaming", os.getpid(), flush=True)
    query.awaitTermination()


def _count_batch(batch: DataFrame, _: int) -> None:
    print(batch.count())


def probe_key() -> None:
    """Every way of asking Spark for the storage key that a task has over Connect."""
    spark = SparkSession.builder.getOrCreate()
    name = "fs.azure.account.key.someaccount.dfs.core.windows.net"
    for key in (name, f"spark.hadoop.{name}"):
        print(spark.conf.get(key, None))
        print(spark.sql(f"SET {key}").collect())
        print(spark.sql(f"SELECT reflect('java.lang.System', 'getProperty', '{key}')").collect())
    print(spark.sql("SET").collect(), spark.sql("SET -v").collect(), spark.conf.getAll)
    try:
        print(spark.sparkContext)
    except Exception as error:
        print(type(error).__name__)


def make_tables() -> None:
    spark = SparkSession.builder.getOrCreate()
    lake = sys.argv[1]
    spark.range(3).write.format("delta").save(f"{lake}/silver/numbers")
    spark.sql(f"CREATE TABLE silver.numbers USING delta LOCATION '{lake}/silver/numbers'")
    spark.sql("CREATE VIEW silver.big_numbers AS SELECT id FROM silver.numbers WHERE id > 1")


def first_line() -> None:
    print(time.time(), flush=True)
