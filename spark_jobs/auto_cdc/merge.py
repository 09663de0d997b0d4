"""The one commit by which the target changes."""

from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from spark_jobs.auto_cdc.bounds import Bound
from spark_jobs.auto_cdc.columns import column, same_type
from spark_jobs.auto_cdc.pending import Pending
from spark_jobs.auto_cdc.spec import KEY
from spark_jobs.auto_cdc.tables import Tables
from spark_jobs.sql import quoted

ACTION = "__ACTION"
_NUMBER = "__NUMBER"
PUT = "put"
DROP = "drop"


def keys_match(tables: Tables, pending: Pending) -> Column:
    """The target's row is about the change's key; bounds let Delta skip the files that hold no such key.

    Where the log lacks the keys, so that people's ids aren't in it, there are no bounds: the log has every condition.
    """
    same = [column(name) == column(KEY, name) for name in tables.shape.key.names]
    within = keys_within(pending) if tables.skips_by_keys else None
    return reduce(and_, same if within is None else [*same, within])


def keys_within(pending: Pending) -> Column | None:
    keys = () if pending.summary.truncates else pending.summary.keys
    within = [_between(column(*bound.path), bound) for bound in keys]
    return reduce(and_, within) if within else None


def _between(value: Column, bound: Bound) -> Column:
    return (value >= bound.least) & (value <= bound.greatest)


def merge_into_target(
    changes: DataFrame,
    tables: Tables,
    *,
    matches: Column,
    differs: Column,
    values: dict[str, Column],
    schema: StructType,
    empties: bool = False,
) -> None:
    """Puts and drops rows as the changes' `__ACTION` says.

    Args:
        changes: One row per row of the target that may have to change.
        tables: The tables.
        matches: Finds the target's row.
        differs: Whether a row that is there has to be written again.
        values: What each of the target's columns gets.
        schema: The target's columns afterwards.
        empties: Whether rows that no change is about are dropped.
    """
    puts = F.col(ACTION) == PUT
    assignments = {quoted(name): value for name, value in values.items()}
    known = {name.lower() for name in tables.target_schema.names}
    # Delta adds a column that the source of the MERGE has too, under the same name.
    added = [value.alias(name) for name, value in values.items() if name.lower() not in known]
    # A MERGE reads its source three times, and keeps one that could differ each time.
    kept = changes.withColumn(_NUMBER, F.monotonically_increasing_id())
    merge = (
        kept.select("*", *added)
        .mergeInto(tables.target, matches)
        .whenMatched(F.col(ACTION) == DROP)
        .delete()
        .whenMatched(puts & differs)
        .update(assignments)
        .whenNotMatched(puts)
        .insert(assignments)
    )
    if empties:
        merge = merge.whenNotMatchedBySource().delete()
    if not same_type(tables.target_schema, schema):
        merge = merge.withSchemaEvolution()
    merge.merge()
