"""What each topic's messages must hold, in plain Python."""

from typing import Any

from tests.spark_jobs.transforms.plain_contract import (
    DAY,
    ENCODED,
    MOMENT,
    MONEY,
    PLAIN,
    Number,
    Object,
    Quarantined,
    Read,
    as_exact,
    as_int,
    as_money,
    as_whole,
    document,
    json_of,
    must,
    text_of,
)

CUSTOMER = {
    "customer_id": "whole",
    **dict.fromkeys(("email", "first_name", "last_name", "city", "country"), "text"),
    "marketing_consent": "boolean",
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
BOOK = {
    "book_id": "whole",
    **dict.fromkeys(("isbn", "title", "author", "genre", "publisher"), "text"),
    "price": MONEY,
    "published_on": DAY,
    "updated_at": MOMENT,
}
ORDER = {
    "order_id": "text",
    "customer_id": "whole",
    "status": "text",
    "version": "whole",
    "ordered_at": MOMENT,
    "updated_at": MOMENT,
    "currency": "text",
}
STATUSES = {"placed", "paid", "shipped", "delivered", "cancelled", "returned"}
LAST_MS = 253_402_300_799_999
FIELD: dict[str, Any] = {"fields": [{"parameters": {}}]}


def read(topic: str, key: bytes | None, value: bytes | None) -> Read:
    """The verdict on a message, with its columns where it can be read."""
    try:
        if topic == "bookstore.orders":
            return Read(None, order(key, value))
        row = CUSTOMER if topic == "bookstore.customers" else BOOK
        return Read(None, change(key, value, row))
    except Quarantined as reason:
        return Read(str(reason), {})


def change(key: bytes | None, value: bytes | None, kinds: dict[str, str]) -> dict[str, Any]:
    name = next(iter(kinds))
    key_id = id_in_key(key, name)
    if value is None:
        return {"op": None, "ts_ms": None, "lsn": None, **dict.fromkeys(kinds), name: key_id}
    row = {column: MONEY if kind == MONEY else None for column, kind in kinds.items()}
    event_spec: dict[str, Any] = {"before": row, "after": row, "source": {}}
    found = document(value, event_spec | {"payload": event_spec, "schema": {"fields": [FIELD]}})
    payload = found.get("payload")
    event = payload or found
    op, image, sequence = envelope(event, is_customer=kinds is CUSTOMER)
    must(image is not None or op in {"d", "t"}, "missing_row")
    columns = values(image, kinds, block(found, op) if payload else None)
    if op != "t":
        check_id(columns, name, op, key, key_id)
    if op == "d" and columns[name] is None:
        columns[name] = key_id
    return {"op": op, **sequence, **columns}


def envelope(event: Object, *, is_customer: bool) -> tuple[str, Object | None, dict[str, int]]:
    op = event.get("op")
    must(type(op) is str and op in {"c", "u", "d", "r", "t"}, "unknown_op")
    must(op != "t" or is_customer, "unsupported_truncate")
    source = event.get("source") or Object([])
    ts_ms = first(source.get("ts_ms"), event.get("ts_ms"))
    must(ts_ms is not None, "missing_sequence")
    moment, lsn = as_whole(ts_ms), as_whole(first(source.get("lsn"), source.get("pos"), Number("0")))
    if moment is None or not 0 <= moment <= LAST_MS or lsn is None:
        raise Quarantined("unreadable_value")
    image = None if op == "t" else event.get("before" if op == "d" else "after")
    return op, image, {"ts_ms": moment, "lsn": lsn}


def first(*found: Any) -> Any:
    return next((each for each in found if each is not None), None)


def block(found: Object, op: str) -> list[Any] | None:
    """What the schema block says about the row's columns."""
    schema = found.get("schema")
    rows = (schema.get("fields") or []) if schema else []
    image = "before" if op == "d" else "after"
    row = next((each for each in rows if each and each.get("field") == image), None)
    return (row.get("fields") or []) if row else []


def values(image: Object | None, kinds: dict[str, str], fields: list[Any] | None) -> dict[str, Any]:
    columns = {}
    for name, kind in kinds.items():
        found = image.get(name) if image else None
        columns[name] = None if found is None else value_of(found, name, kind, fields or [])
        must(found is None or columns[name] is not None, "unreadable_value")
    return columns


def value_of(found: Any, name: str, kind: str, fields: list[Any]) -> Any:
    field = next((each for each in fields if each and each.get("field") == name), Object([]))
    encoding = field.get("name")
    reader = ENCODED.get((kind, encoding)) if isinstance(encoding, str) else None
    return reader(found, field) if reader else PLAIN[kind](found)


def check_id(columns: dict[str, Any], name: str, op: str, key: bytes | None, key_id: int | None) -> None:
    must(columns[name] is not None or (op == "d" and key_id is not None), f"missing_{name}")
    must(key is None or key_id is not None, "unreadable_key")
    must(key_id is None or columns[name] in {None, key_id}, "key_contradicts_row")


def key_object(key: bytes, name: str) -> Any:
    """What the key's object has under a name, bare or wrapped."""
    try:
        found = json_of(text_of(key))
    except Quarantined:
        return None
    if not isinstance(found, Object):
        return None
    payload = found.get("payload")
    return first(payload.get(name) if isinstance(payload, Object) else None, found.get(name))


def id_in_key(key: bytes | None, name: str) -> int | None:
    found = None if key is None else key_object(key, name)
    return None if found is None else as_whole(found)


def order(key: bytes | None, value: bytes | None) -> dict[str, Any]:
    key_id = order_id_in_key(key)
    if value is None:
        must(key_id is not None, "missing_order_id")
        return {**dict.fromkeys(ORDER), "order_id": key_id, "lines": None}
    found = document(value, {"lines": [{"unit_price": MONEY}]})
    columns = values(found, ORDER, None)
    for name in ("order_id", "version", "ordered_at"):
        must(columns[name] not in {None, ""}, f"missing_{name}")
    must(key is None or key_id is not None, "unreadable_key")
    must(key_id in {None, columns["order_id"]}, "key_contradicts_row")
    must(columns["status"] in STATUSES, "unknown_status")
    must(columns["currency"] == "EUR", "wrong_currency")
    return {**columns, "lines": lines(found.get("lines"))}


def order_id_in_key(key: bytes | None) -> str | None:
    try:
        text = text_of(key or b"")
    except Quarantined:
        return None
    if not text.startswith("{"):
        is_quoted = len(text) > 1 and text[0] == text[-1] == '"'
        return (text[1:-1] if is_quoted else text) or None
    found = key_object(key or b"", "order_id")
    return None if found is None else PLAIN["text"](found) or None


def lines(found: list[Any] | None) -> list[list[Any]]:
    must(bool(found), "no_lines")
    read = [Line(each or Object([])) for each in found or []]
    for fault in ("unreadable_value", "missing_line_no"):
        must(all(line.fault != fault for line in read), fault)
    must(len({line.line_no for line in read}) == len(read), "duplicate_line_no")
    for fault in ("invalid_quantity", "invalid_returned_quantity", "invalid_price"):
        must(all(line.fault != fault for line in read), fault)
    must(sum(line.quantity * line.price for line in read) < 10**16, "amount_out_of_range")
    return [[line.line_no, line.book_id, line.quantity, str(line.price), line.returned] for line in read]


class Line:
    """A line of an order, and the first thing that is wrong with it."""

    def __init__(self, found: Object) -> None:
        names = {"line_no": as_int, "book_id": as_whole, "quantity": as_int, "returned_quantity": as_int}
        read: dict[str, Any] = {**names, "unit_price": as_exact}
        fields = {name: found.get(name) for name in read}
        values = {name: None if field is None else read[name](field) for name, field in fields.items()}
        self.line_no, self.book_id, self.quantity = values["line_no"], values["book_id"], values["quantity"]
        self.returned = values["returned_quantity"] or 0
        self.price: Any = as_money(values["unit_price"])
        self.fault = self._fault(unreadable=any(fields[name] is not None and values[name] is None for name in fields))

    def _fault(self, *, unreadable: bool) -> str | None:
        if unreadable:
            return "unreadable_value"
        if self.line_no is None:
            return "missing_line_no"
        if self.quantity is None or self.quantity < 1:
            return "invalid_quantity"
        if not 0 <= self.returned <= self.quantity:
            return "invalid_returned_quantity"
        return "invalid_price" if self.price is None or self.price < 0 else None
