"""Who is forgotten: digests of ids, so that no table and no log names them."""

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from spark_jobs.lake import Lake
from spark_jobs.tables import ERASURES, FORGOTTEN_CUSTOMERS


@dataclass(frozen=True)
class Register:
    """The customers who are forgotten.

    Attributes:
        salt: The lake's own: the same id has other digests in other lakes.
        digests: Of their ids.
    """

    salt: str
    digests: frozenset[str]

    def digest(self, customer_id: int) -> str:
        return hashlib.sha256(f"{self.salt}{customer_id}".encode()).hexdigest()

    def holds(self, customer_id: Column) -> Column:
        """Whether the customer is forgotten; null where there is no id."""
        digest = F.sha2(F.concat(F.lit(self.salt), customer_id.cast("string")), 256)
        return digest.isin(*sorted(self.digests))


def read_register(spark: SparkSession, lake: Lake) -> Register | None:
    """The register; None while nobody is forgotten."""
    found = lake.find(spark, FORGOTTEN_CUSTOMERS)
    rows = [] if found is None else found.select("digest", "salt").collect()
    return Register(rows[0]["salt"], frozenset(row["digest"] for row in rows)) if rows else None


def register(spark: SparkSession, lake: Lake, customer_id: int, now: dt.datetime) -> str:
    """Adds a customer, who may be there already; messages that arrive from now on are blanked.

    Returns:
        The customer's digest.
    """
    lake.create(spark, FORGOTTEN_CUSTOMERS)
    known = read_register(spark, lake) or Register(str(uuid.uuid4()), frozenset())
    digest = known.digest(customer_id)
    if digest not in known.digests:
        row = spark.createDataFrame([(digest, known.salt, now, None)], FORGOTTEN_CUSTOMERS.columns)
        row.write.format("delta").mode("append").save(lake.path(FORGOTTEN_CUSTOMERS))
    return digest


def has_unfinished(spark: SparkSession, lake: Lake) -> bool:
    """Whether of somebody who is forgotten there may still be files, or rows that a job under way has written after."""
    found = lake.find(spark, FORGOTTEN_CUSTOMERS)
    return found is not None and not found.where("completed_at IS NULL").isEmpty()


def complete(spark: SparkSession, lake: Lake, *, erased_before: dt.datetime) -> None:
    """Says that of those who were last erased before this moment nothing is left."""
    last = lake.read(spark, ERASURES).groupBy("digest").agg(F.max("erased_at").alias("erased_at"))
    waiting = lake.read(spark, FORGOTTEN_CUSTOMERS).where("completed_at IS NULL").join(last, "digest", "left")
    then = F.lit(erased_before.isoformat()).cast("timestamp")
    done = waiting.where(F.coalesce("erased_at", "forgotten_at") <= then).select("digest").alias("done")
    target = lake.name(FORGOTTEN_CUSTOMERS)
    merge = done.mergeInto(target, F.expr(f"{target}.digest = done.digest"))
    merge.whenMatched().update({"completed_at": F.current_timestamp()}).merge()
