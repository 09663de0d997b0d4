"""JSON values as they are written: right for a kind of column, nearly right, and wrong."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from random import Random

from tests.spark_jobs.transforms.plain_contract import DAY, MOMENT, MONEY

ANYTHING = (
    *("null", "true", "0", "-1", "1.5", "1e400", "[]", "{}", "[1]", '{"a":1}', '""', '"x"', '"tab\\t"', '"\\u0000"'),
    *('"\\u00e9\\ud83d\\ude00"', '"\\ud83d"', '"\\\\ud83d"', '"\\ude00\\ud83d"', '"\\ud83d\\n\\ude00"'),
)
PLAUSIBLE: Mapping[str, tuple[str, ...]] = {
    "whole": ("5", "17", '"5"'),
    "boolean": ("true", "false", "null"),
    "text": ('"Ada"', '"Lovelace, \\"Countess\\""', "null"),
    MONEY: ("12.99", '"7.50"', "null"),
    MOMENT: ('"2026-01-31T10:15:00Z"', '"2026-01-31T10:15:00.5+02:00"'),
    DAY: ('"1884-11-01"', "null"),
}
WHOLES = (
    *(str(2**31 - 1), str(2**31), str(2**63 - 1), str(-(2**63)), str(2**63), "-0", "5.0", "5e0", "1E2", "9" * 1_001),
    *('"5"', '"007"', '"+5"', '" 5 "', '"5\\n"', '"5.0"', '"five"', '"\\u0665"', '""', '"0x5"', '"5 5"', '"-"'),
)
BOOLEANS = ("true", "false", '"true"', '"FALSE"', '"yes"', '" n "', "0", "1", "2", "1.0", '"maybe"', '"on"', '"T"')
TEXTS = ('"[sic]"', '"null"', '"\\ud83d\\ude00"', '"é"', "17", "true", '{"a":[1,"x"]}', "[]", '""')
DECIMALS = (
    *("12.990", "12.999", "99999999.99", "100000000", "1.5E7", "1.299e1", "1e-1", "1e-5", "-0.0", "1E+2", "-5"),
    *("12.9900000000000001", "12.99000000000000000000", "0.00001", "12.99" + "0" * 40, "1" * 39, "1" * 25),
    *(
        '"12.99"',
        '"+5"',
        '"12,99"',
        '"1.5E7"',
        '"1e-1"',
        '" 5"',
        '"5\\n"',
        '".5"',
        '"5."',
        '"NaN"',
        '"1e99"',
        '"1e400"',
    ),
    *('"0.000000000000000001"', '"0.0000000000000000001"', '"' + "9" * 21 + '"', '{"a":1,"a":2}', '"BRM="', '"-0.01"'),
)
DAYS = ("2026-01-31", "0001-01-01", "9999-12-31", "2026-02-29", "2024-02-29", "0000-01-01", "26-1-1", "2026-13-01")
TIMES = ("10:15:00", "23:59:59", "00:00:00", "24:00:00", "23:59:60", "10:15", "10:15:00.1234567899", "10:60:00")
ZONES = ("Z", "", "+02:00", "-0200", "+18:00", "-18:01", "+19:00", "z", " UTC", "+1:00", "Z\\n", "+00:60", "-00:00")
DATES = ("2026-02-30", "0000-12-31", "9999-12-31", "2026-1-31", "2026-01-31Z", "2026-01-31T00", "today", " 2026-01-31")


def whole(random: Random) -> str:
    return random.choice([random.choice(WHOLES), str(random.randint(1, 99)), str(random.randint(-(2**65), 2**65))])


def decimal(random: Random) -> str:
    cents = f"{random.randint(0, 10**6) / 100:.2f}"
    digits = f"{random.randint(0, 10**10)}.{random.randint(0, 10**6)}"
    return random.choice([random.choice(DECIMALS), cents, f'"{cents}"', digits, f'"-{digits}"'])


def moment(random: Random) -> str:
    start = dt.datetime(1, 1, 1) + dt.timedelta(microseconds=random.randrange(315_537_897_600_000_000))  # noqa: DTZ001
    parts = [random.choice(DAYS), random.choice("TT t"), random.choice(TIMES)]
    parts += [random.choice(("", "", ".5", ".999999999", ".123456", ".")), random.choice(ZONES)]
    odd = random.choice(('"now"', '"10:15:00"', "1769854500000", '"2026-01-31"', '"epoch"', '"2026-01-31T10:15:00Z "'))
    return random.choice([f'"{start.isoformat()}Z"', f'"{"".join(parts)}"', odd])


def date(random: Random) -> str:
    day = dt.date.fromordinal(random.randrange(1, 3_652_060)).isoformat()
    return random.choice([f'"{day}"', f'"{random.choice(DATES)}"', "20000", '"2026-01-31\\n"'])


def text(random: Random) -> str:
    letters = "".join(chr(random.choice((32, 65, 233, 0x4E2D, 0x1F600, 34, 92))) for _ in range(random.randrange(8)))
    return random.choice([json.dumps(letters), json.dumps(letters, ensure_ascii=False), random.choice(TEXTS)])


STRANGE: Mapping[str, Callable[[Random], str]] = {
    "whole": whole,
    "boolean": lambda random: random.choice(BOOLEANS),
    "text": text,
    MONEY: decimal,
    MOMENT: moment,
    DAY: date,
}


def strange(kind: str, random: Random) -> str:
    return STRANGE[kind](random)
