"""Fields that a producer has added: which there are, and how they become columns."""

import re
from collections.abc import Collection, Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.tables import Table, types
from spark_jobs.transforms.documents import STRICT

OTHERS = "others"
"""A message's row as JSON where it has fields that no column has, or one that its column can't hold; else null."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")


def others(row: Column, known: Iterable[str], verdict: Column) -> Column:
    """The column `OTHERS`.

    Args:
        row: The row's JSON.
        known: The fields that columns have.
        verdict: As `first_broken` gives it.
    """
    kept = F.when(verdict.isNull(), F.when(has_others(row, known), row))
    return kept.when(verdict["reason_code"] == "unreadable_value", row).alias(OTHERS)


def has_others(row: Column, known: Iterable[str]) -> Column:
    """Whether a JSON object has fields besides those that are known."""
    names = tuple(known)
    return F.coalesce(F.exists(F.json_object_keys(row), lambda name: ~name.isin(*names)), F.lit(False))


def can_be_column(name: str) -> bool:
    """Whether a field's name can be a column's wherever tables are read."""
    return _NAME.fullmatch(name) is not None


def with_fields(rows: DataFrame, names: Collection[str]) -> DataFrame:
    """Puts a column of text for each of these fields in the place of `OTHERS`: text as it is, anything else as JSON."""
    if not names:
        return rows.drop(OTHERS)
    fields = F.from_json(OTHERS, ", ".join(f"`{name}` string" for name in names), STRICT)
    return rows.withColumns({name: fields[name] for name in names}).drop(OTHERS)


def entries(rows: DataFrame) -> DataFrame:
    """One row for each field in `OTHERS`, with its name as `field`, and as `type` what it holds there."""
    contents = F.explode(F.from_json(OTHERS, "map<string,variant>", STRICT)).alias("field", "content")
    return rows.select("*", contents).withColumn("type", F.schema_of_variant("content")).drop(OTHERS, "content")


def added_columns(rows: DataFrame, table: Table) -> list[str]:
    """Those that the table has gained since it was made."""
    return [name for name in rows.columns if name not in types(table.columns)]
