"""Random histories of changes: many keys in one table, each a history of its own."""

from dataclasses import dataclass
from random import Random
from typing import Any

from tests.spark_jobs.auto_cdc.model import Event, Row

SCHEMA = """id int, region string, sequence struct<at: bigint, n: int>, op string, name string,
    address struct<city: string, geo: struct<x: int, y: int>>, score int"""
KEYS = ["id", "region"]
_NAMES = (None, "ann", "bob")
_NUMBERS = (None, 1, 2)


@dataclass(frozen=True)
class Change:
    """One row of a source.

    Attributes:
        key: Values of the key columns.
        sequence: Orders a key's changes.
        op: `u` for an upsert, `d` for a delete, `t` for a truncate.
        said: Values of the other columns.
    """

    key: tuple[int, str]
    sequence: tuple[int, int]
    op: str
    said: tuple[Any, ...]

    def as_source_row(self) -> tuple[Any, ...]:
        key = (None, None) if self.op == "t" else self.key
        return (*key, self.sequence, self.op, *self.said)

    def as_event(self) -> Event:
        if self.op != "u":
            return Event(self.key, self.sequence, truncates=self.op == "t")
        name, address, score = self.said
        where = address and {"city": address[0], "geo": address[1] and dict(zip("xy", address[1], strict=True))}
        row: Row = dict(zip(KEYS, self.key, strict=True)) | {"name": name, "address": where, "score": score}
        return Event(self.key, self.sequence, row)


def histories(random: Random, count: int, *, truncates: bool = False) -> list[Change]:
    """The changes of `count` keys in random order: repeats of values, ties, deletes, nulls at every level."""
    changes = [
        Change((key, random.choice(("eu", "us"))), (random.randint(1, 4), random.randint(1, 2)), op, _said(random))
        for key in range(count)
        for op in random.choices("uuuud", k=random.randint(1, 8))
    ]
    if truncates:
        changes += [Change((0, ""), (at, 1), "t", (None, None, None)) for at in random.sample((1, 2), k=2)]
    random.shuffle(changes)
    return changes


def _said(random: Random) -> tuple[Any, ...]:
    geo = random.choice((None, (random.choice(_NUMBERS), random.choice(_NUMBERS))))
    address = random.choice((None, (random.choice(_NAMES), geo)))
    return random.choice(_NAMES), address, random.choice(_NUMBERS)


def calls(random: Random, changes: list[Change], count: int) -> list[list[Change]]:
    """Cuts changes into calls, in which a fifth of them come a second time, and repeats one call at the end."""
    cuts = sorted(random.sample(range(1, len(changes)), k=count - 1))
    parts = [changes[start:end] for start, end in zip([0, *cuts], [*cuts, len(changes)], strict=True)]
    repeated = [part + random.sample(changes[: len(part)], k=len(part) // 5) for part in parts]
    return [*repeated, random.choice(parts)]
