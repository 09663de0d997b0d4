"""Order events, each the whole order at one version, to flat rows."""

from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.tables import ARRIVAL, ORDER_ROW, types
from spark_jobs.transforms.documents import document_rules, of, read_document, utf8
from spark_jobs.transforms.fields import EXACT, read_exact, to_money
from spark_jobs.transforms.new_fields import others
from spark_jobs.transforms.verdicts import Rule, first_broken, read_row, unreadable_fields

STATUSES = ("placed", "paid", "shipped", "delivered", "cancelled", "returned")

_KINDS = types(ORDER_ROW)
_SCALARS = {name: kind for name, kind in _KINDS.items() if name != "lines"}
_LINE = {"line_no": "int", "book_id": "bigint", "quantity": "int", "unit_price": EXACT, "returned_quantity": "int"}
_LINE_TEXTS = f"array<struct<{','.join(f'{name}:string' for name in _LINE)}>>"
# A price is a variant, since the text of a JSON number would go through a double on its way.
_WRITTEN_LINES = _LINE_TEXTS.replace("unit_price:string", "unit_price:variant")
_AMOUNT = "decimal(38,2)"
_AMOUNT_LIMIT = 10**16  # decimal(18,2) holds less than that


def read_order_events(messages: DataFrame, currency: str) -> DataFrame:
    """Reads every message of the orders' topic.

    Args:
        messages: `topic`, `partition`, `offset`, `kafka_timestamp`, `key`, `value`, `ingested_at`.
        currency: The only one that is taken.

    Returns:
        The messages' columns, the order's columns, `others` (see `new_fields`), `reason_code` and `reason`; the last
        two are null where the message can be read. A null value, which deletes the order, has the key's `order_id` and
        nothing else.
    """
    return (
        messages.transform(_with_document)
        .transform(_with_values)
        .transform(_with_verdict, currency)
        .select(*types(ARRIVAL), *_row(), _others(), "verdict.reason_code", "verdict.reason")
    )


def _with_document(messages: DataFrame) -> DataFrame:
    fields = ",".join(f"{name}:string" for name in _SCALARS)
    return messages.withColumn("text", utf8(F.col("value"))).withColumns(
        {
            "document": read_document(F.col("text"), f"{fields},lines:{_WRITTEN_LINES}"),
            "key_id": _key_id(utf8(F.col("key"))),
        }
    )


def _key_id(text: Column) -> Column:
    """The order's id as text, bare or quoted, or in an object, bare or wrapped."""
    document = of(read_document(text, "order_id:string,payload:struct<order_id:string>"))
    in_object = F.coalesce(document["payload"]["order_id"], document["order_id"])
    in_text = F.regexp_replace(text, r'(?s)^"(.*)"\z', "$1")
    return F.nullif(F.when(text.startswith("{"), in_object).otherwise(in_text), F.lit(""))


def _with_values(messages: DataFrame) -> DataFrame:
    return (
        messages.withColumn("texts", of(F.col("document")))
        .withColumns({"row": read_row(F.col("texts"), _SCALARS), "judged": _judged(F.col("texts.lines"))})
        .withColumn("order_id", F.nullif(F.col("row.order_id"), F.lit("")))
    )


def _with_verdict(messages: DataFrame, currency: str) -> DataFrame:
    rules = [
        *document_rules(F.col("text"), F.col("document")),
        *unreadable_fields(F.col("texts"), F.col("row"), _SCALARS),
        *_order_rules(currency),
        *_line_rules(F.col("judged")),
    ]
    no_key = Rule("missing_order_id", F.col("key_id").isNull(), F.lit("a deletion needs the order_id in its key"))
    is_deletion = F.col("value").isNull()
    return messages.withColumn("verdict", F.when(is_deletion, first_broken([no_key])).otherwise(first_broken(rules)))


def _order_rules(currency: str) -> list[Rule]:
    order_id, key, key_id = F.col("order_id"), F.col("key"), F.col("key_id")
    contradiction = F.concat(F.lit("the key says "), key_id, F.lit(", the order "), order_id)
    return [
        Rule("missing_order_id", order_id.isNull(), F.lit("order_id is required")),
        _required("version"),
        _required("ordered_at"),
        Rule("unreadable_key", key.isNotNull() & key_id.isNull(), F.lit("the key must be null or hold the order_id")),
        Rule("key_contradicts_row", key_id != order_id, contradiction),
        _one_of("unknown_status", "status", STATUSES),
        _one_of("wrong_currency", "currency", (currency,)),
    ]


def _required(name: str) -> Rule:
    return Rule(f"missing_{name}", F.col("row")[name].isNull(), F.lit(f"{name} is required"))


def _one_of(reason_code: str, name: str, allowed: tuple[str, ...]) -> Rule:
    value = F.col("row")[name]
    is_allowed = F.coalesce(value.isin(*allowed), F.lit(False))
    required = f"{name} must be one of {', '.join(allowed)}, found "
    return Rule(reason_code, ~is_allowed, F.concat(F.lit(required), F.coalesce(value, F.lit("none"))))


def _judged(lines: Column) -> Column:
    """Each line with what is wrong about it, in one expression.

    A function over an array is interpreted, not compiled, and slow where it reads fields from a stored row: so the
    fields of what was just made are read, and the rules ask for the outcome alone.
    """
    return F.transform(F.transform(lines.cast(_LINE_TEXTS), _read_line), _judge_line)


def _read_line(text: Column) -> Column:
    """What stands in a line, and what was read of it."""
    values = {name: text[name].try_cast(kind) for name, kind in _LINE.items()}
    values["unit_price"] = read_exact(text["unit_price"])
    return F.struct(text.alias("text"), *[value.alias(name) for name, value in values.items()])


def _judge_line(read: Column) -> Column:
    """The line as it is stored, what it amounts to, and the index in `_LINE_FAULTS` of the first that it has."""
    values = {name: read[name] for name in _LINE}
    values["unit_price"] = to_money(read["unit_price"])
    values["returned_quantity"] = F.coalesce(read["returned_quantity"], F.lit(0))
    faults = [F.when(fault.is_there(read), F.lit(index)) for index, fault in enumerate(_LINE_FAULTS)]
    return F.struct(
        F.struct(*[value.alias(name) for name, value in values.items()]).alias("line"),
        (read["quantity"] * values["unit_price"]).cast(_AMOUNT).alias("amount"),
        F.coalesce(*faults).alias("fault"),
    )


def _is_unreadable(read: Column) -> Column:
    return reduce(or_, [read["text"][name].isNotNull() & read[name].isNull() for name in _LINE])


def _has_no_line_no(read: Column) -> Column:
    return read["line_no"].isNull()


def _has_no_quantity(read: Column) -> Column:
    return F.coalesce(read["quantity"] < 1, F.lit(True))


def _returns_wrongly(read: Column) -> Column:
    return ~read["returned_quantity"].between(F.lit(0), read["quantity"])


def _is_mispriced(read: Column) -> Column:
    return F.coalesce(to_money(read["unit_price"]) < 0, F.lit(True))


class LineFault(NamedTuple):
    """What must not be of a line."""

    reason_code: str
    is_there: Callable[[Column], Column]
    reason: str


_LINE_FAULTS = (
    LineFault("unreadable_value", _is_unreadable, "a line's field is not of the required type"),
    LineFault("missing_line_no", _has_no_line_no, "line_no is required"),
    LineFault("invalid_quantity", _has_no_quantity, "quantity must be at least 1"),
    LineFault("invalid_returned_quantity", _returns_wrongly, "0 <= returned_quantity <= quantity"),
    LineFault("invalid_price", _is_mispriced, "unit_price must be >= 0 with at most two decimals"),
)


def _line_rules(judged: Column) -> list[Rule]:
    lines = judged["line"]
    first_fault = F.array_min(judged["fault"])
    unreadable, no_line_no, *others = [
        Rule(fault.reason_code, first_fault == index, F.lit(fault.reason)) for index, fault in enumerate(_LINE_FAULTS)
    ]
    is_repeated = F.size(F.array_distinct(lines["line_no"])) < F.size(lines)
    gross = F.aggregate(judged["amount"], F.lit(0).cast(_AMOUNT), lambda total, amount: (total + amount).cast(_AMOUNT))
    return [
        Rule("no_lines", F.coalesce(F.size(lines) < 1, F.lit(True)), F.lit("an order must have lines")),
        unreadable,
        no_line_no,
        Rule("duplicate_line_no", is_repeated, F.lit("a line_no stands twice in the order")),
        *others,
        Rule("amount_out_of_range", gross >= _AMOUNT_LIMIT, F.lit("the order's amount must be below 10^16")),
    ]


def _others() -> Column:
    return others(F.col("text"), _KINDS, F.col("verdict"))


def _row() -> list[Column]:
    """The order's columns; the id comes from the key where there is no order."""
    is_deletion = F.col("value").isNull()
    scalars = {name: F.col("row")[name] for name in _SCALARS}
    scalars["order_id"] = F.when(is_deletion, F.col("key_id")).otherwise(F.col("order_id"))
    return [*[column.alias(name) for name, column in scalars.items()], F.col("judged.line").alias("lines")]
