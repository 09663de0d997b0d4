"""The law in plain Python: the table as a function of the set of events. The engine is compared with this.

A row is a dictionary of column to value; a nested struct is a dictionary too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One change: an upsert unless it says otherwise; a truncate has no key."""

    key: Any
    sequence: Any
    row: Row | None = None
    truncates: bool = False

    @property
    def deletes(self) -> bool:
        return self.row is None and not self.truncates


def type_1(events: Iterable[Event], *, ignores_nulls: bool = False) -> list[Row]:
    events = list(events)
    emptied = max((event.sequence for event in events if event.truncates), default=None)
    alive = [event for event in events if emptied is None or event.sequence >= emptied]
    last = [list(_said(history, ignores_nulls))[-1][1] for history in _histories(alive)]
    return [row for row in last if row is not None]


def type_2(events: Iterable[Event], *, ignores_nulls: bool = False, untracked: tuple[str, ...] = ()) -> list[Row]:
    rows: list[Row] = []
    for history in _histories(events):
        current: Row | None = None
        for sequence, row in _said(history, ignores_nulls):
            if (
                current
                and row
                and _without(row, untracked) == _without(current, ("__START_AT", "__END_AT", *untracked))
            ):
                current |= row
                continue
            if current:
                current["__END_AT"] = sequence
            current = {**row, "__START_AT": sequence, "__END_AT": None} if row else None
            if current:
                rows.append(current)
    return rows


def _histories(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Each key's events by sequence, one of each sequence: a delete, else the one with the greatest values."""
    keys: defaultdict[Any, dict[Any, Event]] = defaultdict(dict)
    for event in events:
        if not event.truncates:
            rival = keys[event.key].get(event.sequence, event)
            keys[event.key][event.sequence] = max(event, rival, key=lambda e: (e.deletes, _order(e.row)))
    return ([said for _, said in sorted(history.items())] for history in keys.values())


def _said(history: list[Event], ignores_nulls: bool) -> Iterator[tuple[Any, Row | None]]:
    """What is so after each event; None after a delete."""
    so_far: Row | None = None
    for event in history:
        before, so_far = so_far or {}, event.row
        if ignores_nulls and so_far:
            so_far = {name: _overlaid(before.get(name), value) for name, value in so_far.items()}
        yield event.sequence, so_far


def _overlaid(old: Any, new: Any) -> Any:
    """The new value where it says something, else the old one; a struct of nothing but nulls says nothing."""
    if not isinstance(new, dict):
        return old if new is None else new
    fields = {name: _overlaid((old or {}).get(name), value) for name, value in new.items()}
    return fields if any(value is not None for value in fields.values()) else None


def _order(value: Any) -> Any:
    """Nulls first, structs field by field."""
    if isinstance(value, dict):
        return (True, tuple(_order(field) for field in value.values()))
    return (value is not None, value if value is not None else 0)


def _without(row: Row, names: tuple[str, ...]) -> Row:
    return {name: value for name, value in row.items() if name not in names}
