"""Bytes to one JSON object, or a rule that says why they aren't one."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from spark_jobs.transforms.verdicts import Rule

DEEPEST = 1_000
"""How deep a message may be nested: what is deeper counts as no JSON."""

STRICT = {
    "allowSingleQuotes": "false",
    "allowNonNumericNumbers": "false",
    "maxNestingDepth": str(DEEPEST + 2),  # of a message; two levels are ours
}
"""How JSON is read: as it is defined, and no deeper than that."""
_OPTIONS = {**STRICT, "columnNameOfCorruptRecord": "misread"}

_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF = r"\\u[dD][89a-fA-F]"


def utf8(content: Column) -> Column:
    """The text of some bytes; null where they are not UTF-8."""
    text = content.cast("string")
    return F.when(F.is_valid_utf8(text), text)


def read_document(text: Column, fields: str) -> Column:
    """Reads a JSON object; `of` gives it, and `is_object` says whether there was one.

    Args:
        text: What should be JSON.
        fields: The object's fields as DDL. One declared as a string takes numbers and booleans too; what the text has
            besides is skipped.
    """
    return _sealed(text, f"struct<{fields}>")


def of(document: Column) -> Column:
    """The object that was read."""
    return F.get(document["document"], F.lit(0))


def is_object(document: Column) -> Column:
    """Whether the text was one JSON object and nothing else."""
    return F.coalesce(_is_sealed(document) & of(document).isNotNull(), F.lit(False))


def document_rules(text: Column, document: Column) -> list[Rule]:
    """What must not be of a message's value, in any topic.

    Args:
        text: The value as `utf8` read it.
        document: The same as `read_document` read it.
    """
    # Conditional, so that only what was no object is read again.
    is_other_json = F.when(~is_object(document), _is_sealed(_sealed(text, "string")))
    misplaced = "a field that must be an object or a list is something else, or the other way round"
    return [
        Rule("not_utf8", text.isNull(), F.lit("the value must be UTF-8, and is not")),
        Rule("not_an_object", is_other_json, F.lit("the value must be a JSON object, and is other JSON")),
        Rule("not_json", ~is_object(document), F.lit("the value must be a JSON object, and is not JSON")),
        Rule("unreadable_value", document["misread"].isNotNull(), F.lit(misplaced)),
        Rule("unreadable_value", _has_half_character(text), F.lit("an escaped surrogate lacks its other half")),
    ]


def _has_half_character(text: Column) -> Column:
    """JSON can escape what no text holds: half of a surrogate pair, which would be stored as a question mark."""
    halves = F.regexp_replace(F.regexp_replace(text, r"\\[^u]", " "), _PAIR, "")
    return F.when(text.contains(r"\ud") | text.contains(r"\uD"), halves.rlike(_HALF))


def _sealed(text: Column, kind: str) -> Column:
    """Reads the text between brackets and a seal, since Spark stops after a text's first JSON value.

    Only where exactly one value stands in the brackets and the seal was reached, has the whole text been read.
    """
    sealed = F.concat(F.lit('{"document":['), text, F.lit('],"sealed":true}'))
    return F.from_json(sealed, f"document array<{kind}>, sealed boolean, misread string", _OPTIONS)


def _is_sealed(document: Column) -> Column:
    return document["sealed"] & (F.size(document["document"]) == 1)
