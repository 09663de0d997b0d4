"""Whether a message can be read, and if not, why: the first rule that it breaks."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pyspark.sql import Column
from pyspark.sql import functions as F

from spark_jobs.transforms.fields import READERS


class Rule(NamedTuple):
    """What must not be.

    Attributes:
        reason_code: What `bronze.quarantine` files a message under that breaks the rule.
        is_broken: True for such a message; null counts as false.
        reason: What was required, and what was found, for a person.
    """

    reason_code: str
    is_broken: Column
    reason: Column


def first_broken(rules: Iterable[Rule]) -> Column:
    """`struct<reason_code,reason>` of the first rule that a message breaks; null where it breaks none."""
    verdicts = [
        F.when(rule.is_broken, F.struct(F.lit(rule.reason_code).alias("reason_code"), rule.reason.alias("reason")))
        for rule in rules
    ]
    return F.coalesce(*verdicts)


def unreadable(name: str, kind: str, text: Column, value: Column) -> Rule:
    """A field that is there and can't be read must not become a null."""
    found = F.concat(F.lit(f"{name} must be {kind}, found "), F.substring(text, 1, 100))
    return Rule("unreadable_value", text.isNotNull() & value.isNull(), found)


def unreadable_fields(texts: Column, values: Column, kinds: Mapping[str, str]) -> list[Rule]:
    """One rule for each field of a row whose text may say anything.

    Args:
        texts: The row as struct of texts.
        values: The row as struct of what was read from them.
        kinds: Each field's type.
    """
    return [unreadable(name, kind, texts[name], values[name]) for name, kind in kinds.items() if kind != "string"]


def read_row(texts: Column, kinds: Mapping[str, str]) -> Column:
    """The typed row of a struct of texts."""
    return F.struct(*[READERS[kind](texts[name]).alias(name) for name, kind in kinds.items()])
