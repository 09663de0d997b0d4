"""What was erased where: `ops.erasures`, which names nobody.

Rows are counted before they are erased and again afterwards. A count that comes to nothing says that those of the count
before are erased, whoever died in between.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.forgetting.holdings import Holding
from spark_jobs.lake import Lake
from spark_jobs.tables import ERASURES

Counts = Mapping[str, int]


def count_rows(holdings: Sequence[Holding]) -> dict[str, int]:
    """The customer's rows by holder, in one statement."""
    each = [
        holding.rows().agg(F.lit(holding.holder).alias("holder"), F.count("*").alias("rows")) for holding in holdings
    ]
    return {row["holder"]: row["rows"] for row in reduce(DataFrame.unionAll, each).collect()} if each else {}


def note(spark: SparkSession, lake: Lake, digest: str, counts: Counts, now: dt.datetime) -> None:
    """Says how many rows are about to be erased, and takes those of the time before as erased where none are left."""
    rows = [(digest, holder, found, now) for holder, found in sorted(counts.items())]
    counted = spark.createDataFrame(rows, "digest string, holder string, found bigint, counted_at timestamp")
    target = lake.name(ERASURES)
    is_same = F.expr(f"{target}.digest = counted.digest AND {target}.holder = counted.holder")
    are_gone = F.expr(f"counted.found = 0 AND {target}.begun > 0")
    found = {"begun": F.col("counted.found"), "erased_at": F.col("counted.counted_at")}
    merge = counted.alias("counted").mergeInto(target, is_same)
    merge = merge.whenMatched(are_gone).update({**found, "rows": F.expr(f"{target}.rows + {target}.begun")})
    merge = merge.whenMatched(F.col("counted.found") > 0).update(found)
    new = {"digest": F.col("counted.digest"), "holder": F.col("counted.holder"), "rows": F.lit(0).cast("bigint")}
    merge.whenNotMatched(F.col("counted.found") > 0).insert(new | found).merge()


def read_receipt(spark: SparkSession, lake: Lake, digest: str) -> dict[str, int]:
    """Rows erased so far, by holder."""
    rows = lake.read(spark, ERASURES).where(F.col("digest") == digest).orderBy("holder").collect()
    return {row["holder"]: row["rows"] for row in rows}
