"""Order events, each the whole order at one version, to flat rows."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.tables import ARRIVAL, ORDER_ROW, types
from spark_jobs.transforms.documents import document_rules, of, read_document, utf8
from spark_jobs.transforms.fields import EXACT, read_exact, to_money
from spark_jobs.transforms.verdicts import Rule, first_broken, read_row, unreadable_fields

STATUSES = ("placed", "paid", "shipped", "delivered", "cancelled", "returned")

_KINDS = types(ORDER_ROW)
_SCALARS = {name: kind for name, kind in _KINDS.items() if name != "lines"}
_LINE = ("line_no", "book_id", "quantity", "unit_price", "returned_quantity")
# A price is a variant, since the text of a JSON number would go through a double on its way.
_WRITTEN_LINES = (
    "array<struct<line_no:string,book_id:string,quantity:string,unit_price:variant,returned_quantity:string>>"
)
_LINE_TEXTS = _WRITTEN_LINES.replace("variant", "string")
_LINES_READ = f"array<struct<line_no:int,book_id:bigint,quantity:int,unit_price:{EXACT},returned_quantity:int>>"
_AMOUNT_LIMIT = 10**16  # decimal(18,2) holds less than that


def read_order_events(messages: DataFrame, currency: str) -> DataFrame:
    """Reads every message of the orders' topic.

    Args:
        messages: `topic`, `partition`, `offset`, `kafka_timestamp`, `key`, `value`, `ingested_at`.
        currency: The only one that is taken.

    Returns:
        The messages' columns, the order's columns, `reason_code` and `reason`; the last two are null where the message
        can be read. A null value, which deletes the order, has the key's `order_id` and nothing else.
    """
    return (
        messages.transform(_with_document)
        .transform(_with_values)
        .transform(_with_verdict, currency)
        .select(*types(ARRIVAL), *_row(), "verdict.reason_code", "verdict.reason")
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
    in_text = F.regexp_replace(text, '^"(.*)"$', "$1")
    return F.nullif(F.when(text.startswith("{"), in_object).otherwise(in_text), F.lit(""))


def _with_values(messages: DataFrame) -> DataFrame:
    return (
        messages.withColumn("texts", of(F.col("document")))
        .withColumn("line_texts", F.col("texts.lines").cast(_LINE_TEXTS))
        .withColumns(
            {"row": read_row(F.col("texts"), _SCALARS), "lines_read": F.col("line_texts").try_cast(_LINES_READ)}
        )
        .withColumn("order_id", F.nullif(F.col("row.order_id"), F.lit("")))
    )


def _with_verdict(messages: DataFrame, currency: str) -> DataFrame:
    rules = [
        *document_rules(F.col("text"), F.col("document")),
        *unreadable_fields(F.col("texts"), F.col("row"), _SCALARS),
        *_order_rules(currency),
        *_line_rules(F.col("line_texts"), F.col("lines_read")),
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


def _line_rules(texts: Column, lines: Column) -> list[Rule]:
    has_unreadable = F.exists(F.arrays_zip(texts.alias("texts"), lines.alias("lines")), _is_unreadable)
    is_repeated = F.size(F.array_distinct(lines["line_no"])) < F.size(lines)
    return [
        Rule("no_lines", F.coalesce(F.size(lines) < 1, F.lit(True)), F.lit("an order must have lines")),
        Rule("unreadable_value", has_unreadable, F.lit("a line's field is not of the required type")),
        Rule("missing_line_no", F.exists(lines, lambda line: line["line_no"].isNull()), F.lit("line_no is required")),
        Rule("duplicate_line_no", is_repeated, F.lit("a line_no stands twice in the order")),
        Rule("invalid_quantity", F.exists(lines, _has_no_quantity), F.lit("quantity must be at least 1")),
        Rule(
            "invalid_returned_quantity", F.exists(lines, _returns_wrongly), F.lit("0 <= returned_quantity <= quantity")
        ),
        Rule(
            "invalid_price", F.exists(lines, _is_mispriced), F.lit("unit_price must be >= 0 with at most two decimals")
        ),
        Rule("amount_out_of_range", _gross(lines) >= _AMOUNT_LIMIT, F.lit("the order's amount must be below 10^16")),
    ]


def _is_unreadable(pair: Column) -> Column:
    text, line = pair["texts"], pair["lines"]
    read = {**{name: line[name] for name in _LINE}, "unit_price": read_exact(text["unit_price"])}
    parts = [text[name].isNotNull() & value.isNull() for name, value in read.items()]
    unreadable = parts[0]
    for part in parts[1:]:
        unreadable |= part
    return unreadable


def _has_no_quantity(line: Column) -> Column:
    return F.coalesce(line["quantity"] < 1, F.lit(True))


def _returns_wrongly(line: Column) -> Column:
    return F.coalesce(~line["returned_quantity"].between(F.lit(0), line["quantity"]), F.lit(False))


def _is_mispriced(line: Column) -> Column:
    return F.coalesce(to_money(line["unit_price"]) < 0, F.lit(True))


def _gross(lines: Column) -> Column:
    zero = F.lit(0).cast("decimal(38,2)")
    return F.aggregate(lines, zero, lambda total, line: (total + _line_amount(line)).cast("decimal(38,2)"))


def _line_amount(line: Column) -> Column:
    return F.coalesce(line["quantity"] * to_money(line["unit_price"]), F.lit(0))


def _row() -> list[Column]:
    """The order's columns; the id comes from the key where there is no order."""
    is_deletion = F.col("value").isNull()
    scalars = {name: F.col("row")[name] for name in _SCALARS}
    scalars["order_id"] = F.when(is_deletion, F.col("key_id")).otherwise(F.col("order_id"))
    lines = F.transform("lines_read", _stored_line)
    return [*[column.alias(name) for name, column in scalars.items()], lines.alias("lines")]


def _stored_line(line: Column) -> Column:
    stored = {name: line[name] for name in _LINE}
    stored["unit_price"] = to_money(line["unit_price"])
    stored["returned_quantity"] = F.coalesce(line["returned_quantity"], F.lit(0))
    return F.struct(*[value.alias(name) for name, value in stored.items()])
