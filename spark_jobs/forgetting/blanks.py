"""What is left of a forgotten customer's message: where it was in Kafka, so that every offset stays accounted for."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from spark_jobs.forgetting.register import Register
from spark_jobs.tables import CUSTOMERS_CHANGES, OFFSET, ORDER_EVENTS

FORGOTTEN = "forgotten"
"""The reason code of a blank in quarantine."""

_KEPT = {*OFFSET, "kafka_timestamp", "ingested_at", "repaired_at"}
_IS_FORGOTTEN = "__is_forgotten"
# Anything that reads like a customer's id, whatever is wrong with the rest. The character after it has to be there,
# since an id can be cut short to another one.
_ID = r'customer_id\\*"\s*:\s*\\*"?\s*([+-]?\d++)(?=\D)'


def blanks(columns: StructType) -> dict[str, Column]:
    """What takes the place of each column of a bronze table.

    A value becomes empty and not null: null values have a meaning of their own, deletions and tombstones.
    """
    nothing = {field.name: F.lit(None).cast(field.dataType) for field in columns if field.name not in _KEPT}
    reason = F.when(F.col("reason_code").isNotNull(), F.lit(FORGOTTEN)) if "reason_code" in nothing else None
    return nothing | {"value": F.expr("X''")} | ({} if reason is None else {"reason_code": reason})


def screened(messages: DataFrame, register: Register | None) -> DataFrame:
    """Messages as they were read, but those of forgotten customers blank.

    Args:
        messages: What `read_topics` gives.
        register: Who is forgotten; None: nobody.
    """
    if register is None:
        return messages
    owner = F.coalesce(*[f"{table.name}.customer_id" for table in (CUSTOMERS_CHANGES, ORDER_EVENTS)])
    is_read = F.col("reason_code").isNull()
    about = F.when(is_read, F.array(owner)).otherwise(mentioned_customers(F.col("key"), F.col("value")))
    marked = messages.withColumn(_IS_FORGOTTEN, F.coalesce(F.exists(about, register.holds), F.lit(False)))
    columns = {
        name: F.when(F.col(_IS_FORGOTTEN), blank).otherwise(F.col(name))
        for name, blank in blanks(messages.schema).items()
    }
    return marked.withColumns(columns).drop(_IS_FORGOTTEN)


def mentioned_customers(key: Column, value: Column) -> Column:
    """The ids of customers that a message names, also where it can't be read."""
    found = F.regexp_extract_all(F.concat(as_text(key), F.lit("\n"), as_text(value)), F.lit(_ID), F.lit(1))
    return F.transform(found, lambda digits: digits.try_cast("bigint"))


def as_text(content: Column) -> Column:
    """Bytes as text that has a character for each, whatever they were meant to be."""
    return F.coalesce(F.decode(content, "ISO-8859-1"), F.lit(""))
