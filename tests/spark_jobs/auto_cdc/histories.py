"""Random histories of changes: many keys in one table, each a history of its own."""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.spark_jobs.auto_cdc.model import Event, Row

KEYS = ["id", "region"]
COLUMNS = ["name", "address", "score"]
_SEQUENCE = "sequence struct<at: bigint, n: int>"
_NAMES = (None, "ann", "bob")
_NUMBERS = (None, 1, 2)
NULL_FIRST = -1
"""Stands for a null in a sequence, where the model needs something that sorts before all others."""


@dataclass(frozen=True)
class Change:
    """One row of a source.

    Attributes:
        key: Values of the key columns.
        sequence: Orders a key's changes; one of its fields may be null.
        op: `d` for a delete, `t` for a truncate, else an upsert.
        said: Values of the other columns.
    """

    key: tuple[int, str]
    sequence: tuple[int | None, int | None]
    op: str | None
    said: tuple[Any, ...]

    def as_event(self) -> Event:
        sequence = sortable(self.sequence)
        if self.op in ("d", "t"):
            return Event(self.key, sequence, truncates=self.op == "t")
        name, address, score = self.said
        where = address and {"city": address[0], "geo": address[1] and dict(zip("xy", address[1], strict=True))}
        row: Row = dict(zip(KEYS, self.key, strict=True)) | {"name": name, "address": where, "score": score}
        return Event(self.key, sequence, row)


@dataclass(frozen=True)
class Source:
    """What a call's source has of the columns, as a producer adds some and drops others.

    Attributes:
        score: Type of the column `score`; none where there is no such column.
        geo: Whether `address` has the field `geo`, which has fields of its own.
        y: Whether `geo` has the field `y`.
    """

    score: str | None
    geo: bool
    y: bool

    @property
    def schema(self) -> str:
        geo = f", geo: struct<x: int{', y: int' if self.y else ''}>" if self.geo else ""
        score = f", score {self.score}" if self.score else ""
        return f"id int, region string, {_SEQUENCE}, op string, name string, address struct<city: string{geo}>{score}"

    def narrowed(self, change: Change) -> Change:
        """What is left of a change: what the source can't say is null."""
        name, address, score = change.said
        if address:
            city, geo = address
            geo = geo and (geo[0], geo[1] if self.y else None)
            address = (city, geo if self.geo else None)
        return replace(change, said=(name, address, score if self.score else None))

    def row(self, change: Change) -> tuple[Any, ...]:
        name, address, score = change.said
        if address:
            geo = address[1] and address[1][: 2 if self.y else 1]
            address = (address[0], geo)[: 2 if self.geo else 1]
        key = (None, None) if change.op == "t" else change.key
        return (*key, change.sequence, change.op, name, address, *([score] if self.score else []))


@dataclass(frozen=True)
class Call:
    """The changes of one call, as its source says them."""

    source: Source
    changes: list[Change]

    def rows(self) -> list[tuple[Any, ...]]:
        return [self.source.row(change) for change in self.changes]


def sortable(sequence: tuple[int | None, ...]) -> tuple[int, ...]:
    return tuple(NULL_FIRST if field is None else field for field in sequence)


def histories(random: Random, count: int, *, truncates: bool = False) -> list[Change]:
    """The changes of `count` ids in random order: repeats of values, ties, deletes, nulls at every level."""
    changes = [
        Change((key, random.choice(("eu", "us"))), _sequence(random), op, _said(random))
        for key in range(count)
        for op in random.choices(["u", "u", "u", None, "d"], k=random.randint(1, 8))
    ]
    if truncates:
        changes += [Change((0, ""), (at, 1), "t", (None, None, None)) for at in (1, 2)]
    random.shuffle(changes)
    return changes


def _sequence(random: Random) -> tuple[int | None, int | None]:
    return random.choice([(None, 1), (1, None), *[(at, n) for at in range(1, 5) for n in (1, 2)]])


def _said(random: Random) -> tuple[Any, ...]:
    geo = random.choice((None, (random.choice(_NUMBERS), random.choice(_NUMBERS))))
    address = random.choice((None, (random.choice(_NAMES), geo)))
    return random.choice(_NAMES), address, random.choice(_NUMBERS)


def calls(random: Random, changes: list[Change], count: int) -> list[Call]:
    """Cuts changes into calls, in which a fifth of them come a second time, and repeats one call at the end.

    Each call has a source of its own, so that a change that comes twice may come with fewer columns: then the two are
    different changes of one sequence.
    """
    cuts = sorted(random.sample(range(1, len(changes)), k=count - 1))
    parts = [changes[start:end] for start, end in zip([0, *cuts], [*cuts, len(changes)], strict=True)]
    repeated = [part + random.sample(changes[: len(part)], k=len(part) // 5) for part in parts]
    made = [_call(_source(random), part) for part in repeated]
    return [*made, random.choice(made)]


def calls_in_order(random: Random, changes: list[Change]) -> list[Call]:
    """Cuts changes into two calls between two sequences, so that none comes later than it should."""
    cut = random.choice(sorted({sortable(change.sequence) for change in changes})[1:])
    early = [change for change in changes if sortable(change.sequence) < cut]
    late = [change for change in changes if sortable(change.sequence) >= cut]
    return [_call(_source(random), part) for part in (early, late)]


def _source(random: Random) -> Source:
    return Source(random.choice((None, "int", "int", "bigint")), random.random() < 0.8, random.random() < 0.7)


def _call(source: Source, changes: list[Change]) -> Call:
    return Call(source, [source.narrowed(change) for change in changes])
