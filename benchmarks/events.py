"""Made-up rows and changes, the same for every contender."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

CUSTOMERS = 1_000_000
CHANGED = 10_000
ATTRIBUTES = ("name", "city", "email")
# A prime, so that the keys of a call lie all over the table, as changes do.
_STRIDE = 99_991


def rows(spark: SparkSession, version: int, count: int = CUSTOMERS) -> DataFrame:
    """One row per customer as of a version: `id` and the attributes."""
    return spark.range(count).select("id", *_attributes(version))


def changes(spark: SparkSession, version: int, changed: int = CHANGED, of: int = CUSTOMERS) -> DataFrame:
    """New attributes for some of the customers: `id`, the attributes, and the version as `sequence`."""
    some = spark.range(changed).select(((F.col("id") * _STRIDE + version * 7) % of).alias("id"))
    return some.select("id", *_attributes(version), F.lit(version).cast("bigint").alias("sequence"))


def latest(batch: DataFrame) -> DataFrame:
    """The last event of each key: the peers take one change of a key at a time."""
    last = F.max_by(F.struct(*ATTRIBUTES), "sequence").alias("last")
    grouped = batch.groupBy("id").agg(last, F.max("sequence").alias("sequence"))
    return grouped.select("id", "last.*", "sequence")


def _attributes(version: int) -> list[Column]:
    key = F.col("id")
    values = (
        F.concat(F.lit(f"name {version} "), key),
        F.concat(F.lit("city "), (key + version) % 1000),
        F.concat(F.md5(F.concat(key.cast("string"), F.lit(str(version)))), F.lit("@example.com")),
    )
    return [value.alias(name) for name, value in zip(ATTRIBUTES, values, strict=True)]
