"""Debezium's change events, bare or wrapped with their schema, to flat rows with an op and a sequence."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.tables import ARRIVAL, BOOK_ROW, CUSTOMER_ROW, types
from spark_jobs.transforms.documents import document_rules, of, read_document, utf8
from spark_jobs.transforms.encodings import SCHEMA, encoded, encodings, read_encoded
from spark_jobs.transforms.fields import MONEY, READERS
from spark_jobs.transforms.new_fields import others
from spark_jobs.transforms.verdicts import Rule, first_broken, read_row, unreadable, unreadable_fields

_LAST_MS = 253_402_300_799_999  # the end of the year 9999, which is as far as timestamps go
_SOURCE = "struct<ts_ms:string,lsn:string,pos:string>"


@dataclass(frozen=True)
class Changes:
    """The change events of one table.

    Attributes:
        row: The table's columns as DDL, its key first.
        takes_truncates: Whether an event may empty the table.
    """

    row: str
    takes_truncates: bool

    @property
    def kinds(self) -> dict[str, str]:
        return types(self.row)

    @property
    def key(self) -> str:
        return next(iter(self.kinds))


CUSTOMER_CHANGES = Changes(CUSTOMER_ROW, takes_truncates=True)
BOOK_CHANGES = Changes(BOOK_ROW, takes_truncates=False)


def read_changes(messages: DataFrame, changes: Changes) -> DataFrame:
    """Reads every message of a topic of change events.

    Args:
        messages: `topic`, `partition`, `offset`, `kafka_timestamp`, `key`, `value`, `ingested_at`.
        changes: What the topic carries.

    Returns:
        The messages' columns, `op`, `sequence`, the row's columns, `others` (see `new_fields`), `reason_code` and
        `reason`; the last two are null where the message can be read. A tombstone has the key's id and nothing else. Of
        a delete, the row is the one before it.
    """
    return (
        messages.transform(_with_documents, changes)
        .transform(_with_texts)
        .transform(_with_values, changes)
        .transform(_with_verdict, changes)
        .select(
            *types(ARRIVAL), "op", "sequence", *_row(changes), _others(changes), "verdict.reason_code", "verdict.reason"
        )
    )


def _with_documents(messages: DataFrame, changes: Changes) -> DataFrame:
    row = f"struct<{','.join(f'{name}:{_written_as(kind)}' for name, kind in changes.kinds.items())}>"
    change = f"before:{row},after:{row},op:string,ts_ms:string,source:{_SOURCE}"
    key = f"{changes.key}:string"
    return messages.withColumns({"text": utf8(F.col("value")), "key_text": utf8(F.col("key"))}).withColumns(
        {
            "document": read_document(F.col("text"), f"{change},schema:{SCHEMA},payload:struct<{change}>"),
            "key_document": read_document(F.col("key_text"), f"{key},payload:struct<{key}>"),
        }
    )


def _written_as(kind: str) -> str:
    """How a field is taken out of the JSON: a number's text would go through a double on its way, a variant doesn't."""
    return "variant" if kind == MONEY else "string"


def _with_texts(messages: DataFrame) -> DataFrame:
    """Unwraps the event, and picks the row that it is about."""
    event = of(F.col("document"))
    payload = event["payload"]
    is_wrapped = payload.isNotNull()
    parts = {name: F.when(is_wrapped, payload[name]).otherwise(event[name]) for name in ("before", "after", "source")}
    op = F.when(is_wrapped, payload["op"]).otherwise(event["op"])
    ts_ms = F.when(is_wrapped, payload["ts_ms"]).otherwise(event["ts_ms"])
    schema = F.when(is_wrapped, event["schema"])
    image_text = _image_text(F.col("text"), is_wrapped, op == "d")
    columns = {**parts, "op": op, "event_ts_ms": ts_ms, "schema": schema, "image_text": image_text}
    return messages.withColumns(columns).withColumns(
        {
            "image": F.when(F.col("op") == "d", F.col("before")).when(F.col("op") != "t", F.col("after")),
            "ts_ms": F.coalesce("source.ts_ms", "event_ts_ms"),
            "lsn": F.coalesce("source.lsn", "source.pos", F.lit("0")),
        }
    )


def _image_text(text: Column, is_wrapped: Column, is_delete: Column) -> Column:
    """The JSON of the row that the event is about."""
    bare = F.when(is_delete, F.get_json_object(text, "$.before")).otherwise(F.get_json_object(text, "$.after"))
    before, after = (F.get_json_object(text, f"$.payload.{image}") for image in ("before", "after"))
    return F.when(is_wrapped, F.when(is_delete, before).otherwise(after)).otherwise(bare)


def _with_values(messages: DataFrame, changes: Changes) -> DataFrame:
    key_document = of(F.col("key_document"))
    key_id = F.coalesce(key_document["payload"][changes.key], key_document[changes.key])
    kinds = changes.kinds
    image = F.struct(*[F.col("image")[name].cast("string").alias(name) for name in kinds])
    position = F.struct(_time(F.col("ts_ms")).alias("ts_ms"), F.col("lsn").try_cast("bigint").alias("lsn"))
    which = F.when(F.col("op") == "d", F.lit("before")).otherwise(F.lit("after"))
    encoding = encodings(F.col("schema"), which, kinds)
    return messages.withColumns({"texts": image, "position": position, "encoding": encoding}).withColumns(
        {
            "row": F.when(F.col("encoding").isNull(), read_row(F.col("texts"), kinds)).otherwise(_encoded_row(kinds)),
            "key_id": key_id.try_cast(kinds[changes.key]),
            "sequence": F.when(F.col("op").isNotNull(), F.col("position")),
        }
    )


def _encoded_row(kinds: Mapping[str, str]) -> Column:
    """The row as its schema block says; apart from the plain reading, which shouldn't pay for it."""
    texts, image, encoding = F.col("texts"), F.col("image"), F.col("encoding")
    values = {name: READERS[kind](texts[name]) for name, kind in kinds.items()}
    for name in encoded(kinds):
        values[name] = read_encoded(image[name], texts[name], kinds[name], encoding[name])
    return F.struct(*[value.alias(name) for name, value in values.items()])


def _time(text: Column) -> Column:
    ts_ms = text.try_cast("bigint")
    return F.when(ts_ms.between(0, _LAST_MS), ts_ms)


def _with_verdict(messages: DataFrame, changes: Changes) -> DataFrame:
    rules = [
        *document_rules(F.col("text"), F.col("document")),
        *_event_rules(changes),
        *unreadable_fields(F.col("texts"), F.col("row"), changes.kinds),
        *_id_rules(changes),
    ]
    return messages.withColumn("verdict", F.when(F.col("value").isNotNull(), first_broken(rules)))


def _event_rules(changes: Changes) -> list[Rule]:
    op, image = F.col("op"), F.col("image")
    is_known = F.coalesce(op.isin("c", "u", "d", "r", "t"), F.lit(False))
    is_refused = (op == "t") & F.lit(not changes.takes_truncates)
    found = F.concat(F.lit("op must be one of c, u, d, r, t, found "), F.coalesce(op, F.lit("none")))
    return [
        Rule("unknown_op", ~is_known, found),
        Rule("unsupported_truncate", is_refused, F.lit("a table whose history is kept can't be truncated")),
        Rule("missing_sequence", F.col("ts_ms").isNull(), F.lit("source.ts_ms or ts_ms is required")),
        unreadable("ts_ms", "milliseconds up to the year 9999", F.col("ts_ms"), F.col("position.ts_ms")),
        unreadable("lsn", "bigint", F.col("lsn"), F.col("position.lsn")),
        Rule("missing_row", op.isin("c", "u", "r") & image.isNull(), F.lit("the row after the change is required")),
    ]


def _id_rules(changes: Changes) -> list[Rule]:
    """The id is required, in the row, or for a delete in the key; a key that is there must name the same row."""
    key, row_id, key_id = changes.key, F.col("row")[changes.key], F.col("key_id")
    names_row = F.col("op") != "t"
    has_id = row_id.isNotNull() | ((F.col("op") == "d") & key_id.isNotNull())
    contradiction = F.concat(F.lit(f"the key says {key} "), key_id, F.lit(", the row "), row_id)
    return [
        Rule(f"missing_{key}", names_row & ~has_id, F.lit(f"{key} is required")),
        Rule("unreadable_key", names_row & F.col("key").isNotNull() & key_id.isNull(), F.lit(_KEY_FORM.format(key))),
        Rule("key_contradicts_row", names_row & (key_id != row_id), contradiction),
    ]


def _others(changes: Changes) -> Column:
    return others(F.col("image_text"), changes.kinds, F.col("verdict"))


_KEY_FORM = 'the key must be null or {{"{}": a whole number}}'


def _row(changes: Changes) -> list[Column]:
    """The row's columns; the id comes from the key where there is no row."""
    op = F.col("op")
    key_id = F.when(op.isNull() | (op == "d"), F.col("key_id"))
    columns = {name: F.col("row")[name] for name in changes.kinds}
    columns[changes.key] = F.coalesce(columns[changes.key], key_id)
    return [column.alias(name) for name, column in columns.items()]
