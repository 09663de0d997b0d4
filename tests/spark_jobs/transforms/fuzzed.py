"""Messages of every kind that can be thought of: right ones, ones that are wrong in one place, and bytes."""

import base64
import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import TypeVar

from tests.spark_jobs.messages import Bytes, Message
from tests.spark_jobs.transforms.fuzzed_values import ANYTHING, PLAUSIBLE, decimal, strange, whole
from tests.spark_jobs.transforms.plain_contract import DAY, ENCODED, MOMENT, MONEY
from tests.spark_jobs.transforms.plain_topics import BOOK, CUSTOMER, ORDER, STATUSES

T = TypeVar("T")
Pairs = list[tuple[str, str]]
KEYS = {"bookstore.customers": "customer_id", "bookstore.books": "book_id", "bookstore.orders": "order_id"}
SCALES = ("2", '"2"', '"0"', '"4"', '"18"', '"19"', '"-1"', "null", '"x"')
BLOCKS = ("null", "{}", '{"fields":null}', '{"fields":[null]}', '"x"', '{"fields":{}}')


def message(topic: str, random: Random) -> Message:
    value = order(random) if topic == "bookstore.orders" else change(CUSTOMER if "customers" in topic else BOOK, random)
    content = value.encode("utf-8", "replace")
    return key(KEYS[topic], random), broken(content, random) if seldom(random) else content


def seldom(random: Random, once_in: int = 15) -> bool:
    return random.randrange(once_in) == 0


def either(random: Random, usual: T, unusual: Sequence[T]) -> T:
    return random.choice(unusual) if seldom(random) else usual


def written(pairs: Pairs) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in pairs) + "}"


def mangled(pairs: Pairs, random: Random) -> str:
    """An object: seldom without a field, with one twice, or with one that nobody knows."""
    if seldom(random):
        pairs = [*pairs, (random.choice([*dict(pairs), "extra", "Ünknown"]), random.choice(ANYTHING))]
    if seldom(random):
        random.shuffle(pairs := list(pairs))
        pairs = pairs[1:]
    return written(pairs)


def field(kind: str, random: Random) -> str:
    """Most often right: a message is refused for the first thing that is wrong, so one thing is enough."""
    if seldom(random, once_in=60):
        return random.choice(ANYTHING)
    return strange(kind, random) if seldom(random, once_in=8) else random.choice(PLAUSIBLE[kind])


def row(kinds: Mapping[str, str], random: Random) -> str:
    return mangled([(name, field(kind, random)) for name, kind in kinds.items()], random)


def change(kinds: Mapping[str, str], random: Random) -> str:
    if random.randrange(3):
        return event([row(kinds, random) for _ in range(2)], random)
    columns = [name for name, kind in kinds.items() if kind in {MONEY, MOMENT, DAY}]
    names = {name: random.choice([*encodings(kinds[name]), "", "org.example.Unknown"]) for name in columns}
    images = [encoded_row(kinds, names, random) for _ in range(2)]
    return f'{{"schema":{either(random, block(names, random), BLOCKS)},"payload":{event(images, random)}}}'


def event(images: list[str], random: Random) -> str:
    images = [either(random, image, ["null", '"x"', "[]"]) for image in images]
    source = [("ts_ms", either(random, "1000", [whole(random)])), ("lsn", either(random, "7", [whole(random)]))]
    source += [("pos", either(random, "null", [whole(random)]))]
    return mangled(
        [
            ("before", images[0]),
            ("after", images[1]),
            ("op", random.choice([*map(json.dumps, "ccuuuuddddrrrrtx"), "5"])),
            ("ts_ms", either(random, "1005", [whole(random)])),
            ("source", either(random, mangled(source, random), ["null", "5", '""'])),
        ],
        random,
    )


def encodings(kind: str) -> list[str]:
    return [name for of, name in ENCODED if of == kind]


def block(names: Mapping[str, str], random: Random) -> str:
    """A schema block; now and then it doesn't fit the row."""
    columns = [
        written([("field", json.dumps(column)), ("name", json.dumps(name)), ("parameters", parameters(random))])
        for column, name in names.items()
    ]
    fields = f"[{','.join(columns)}]"
    rows = [written([("type", '"struct"'), ("fields", fields), ("field", f'"{each}"')]) for each in ("before", "after")]
    return written([("type", '"struct"'), ("fields", f"[{','.join(rows)}]")])


def parameters(random: Random) -> str:
    return either(random, written([("scale", either(random, '"2"', SCALES))]), ["null", "{}"])


def encoded_row(kinds: Mapping[str, str], names: Mapping[str, str], random: Random) -> str:
    pairs = [
        (name, field(kind, random) if seldom(random) else encoded(names.get(name, ""), kind, random))
        for name, kind in kinds.items()
    ]
    return mangled(pairs, random)


def encoded(name: str, kind: str, random: Random) -> str:
    if name.endswith(".Decimal"):
        return either(random, json.dumps(unscaled(random)), [decimal(random)])
    if name.endswith("VariableScaleDecimal"):
        return written([("scale", either(random, "2", SCALES)), ("value", json.dumps(unscaled(random)))])
    if name.endswith("IsoDate"):
        return '"2026-01-31Z"'
    if not name.startswith(("io.debezium", "org.apache")):
        return field(kind, random)
    if kind == DAY:
        return str(random.randrange(-800_000, 3_000_000))
    units = {"MicroTimestamp": 10**6, "NanoTimestamp": 10**9}.get(name.rpartition(".")[2], 10**3)
    return either(random, str(random.randrange(-(10**10), 10**10) * units + random.randrange(units)), [whole(random)])


def unscaled(random: Random) -> str:
    number = random.randrange(-(10**6), 10**10)
    usual = number.to_bytes((number.bit_length() + 8) // 8, "big", signed=True)
    return base64.b64encode(either(random, usual, [random.randbytes(random.randrange(11))])).decode()


def order(random: Random) -> str:
    plausible = {name: field(kind, random) for name, kind in ORDER.items()}
    plausible |= {
        "order_id": either(random, '"O-1"', [strange("text", random)]),
        "status": either(random, json.dumps(random.choice(sorted(STATUSES))), ['"lost"', '"Paid"', "null"]),
        "currency": either(random, '"EUR"', ['"USD"', "null", '"eur"']),
        "lines": either(random, lines(random), [*ANYTHING, "[null]", "[5]"]),
    }
    return mangled(list(plausible.items()), random)


def lines(random: Random) -> str:
    numbers = random.sample(range(1, 9), random.randrange(1, 4))
    return f"[{','.join(line(number, random) for number in numbers)}]"


def line(number: int, random: Random) -> str:
    usual = {"line_no": str(number), "book_id": "5", "quantity": "2", "unit_price": random.choice(('"12.99"', "7.5"))}
    usual |= {"returned_quantity": random.choice(("0", "2", "null"))}
    if seldom(random, once_in=4):
        name = random.choice([*usual])
        usual[name] = decimal(random) if name == "unit_price" else either(random, whole(random), ["1", "3", "0", "-1"])
    return mangled(list(usual.items()), random)


def broken(value: bytes, random: Random) -> Bytes:
    """Bytes that were something: cut, with others in between, in brackets, or several times."""
    place, deep = random.randrange(len(value)), random.randrange(990, 1_011)
    return random.choice(
        [
            None,
            value[:place],
            value[:place] + random.randbytes(random.randrange(1, 4)) + value[place + 1 :],
            value[:place] + value[place + 1 :],
            *(b"[" + value + b"]", value + value, value + b"," + value, b" " + value + b"\n", value + b"\x00"),
            *(b"\xef\xbb\xbf" + value, value.decode().encode("utf-16"), value.replace(b'"', b"'"), b"null", b"", b"17"),
            b'{"deep":' + b"[" * deep + b"]" * deep + b"," + value[1:],
            b"[" * deep + b"]" * deep,
            random.randbytes(random.randrange(12)),
        ]
    )


def key(name: str, random: Random) -> Bytes:
    if random.randrange(4):
        return None
    valid = [
        f'{{"{name}":5}}',
        f'{{"{name}":"17"}}',
        f'{{"payload":{{"{name}":5}}}}',
        f'{{"{name}":"O-1"}}',
        "O-1",
        '"O-1"',
    ]
    odd = [
        "5",
        "O-2",
        '"',
        '""',
        "",
        "{",
        "null",
        '{"id":5}',
        '{"payload":5}',
        f'{{"{name}":5}}x',
        '"O-1"\n',
        f'{{"{name}":null}}',
    ]
    return random.choice([*map(str.encode, valid * 4 + odd), random.randbytes(3)])
