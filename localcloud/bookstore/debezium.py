"""Change events of a database's table, as Debezium sends them."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from localcloud.bookstore.history import History
from localcloud.bookstore.plan import Flags, Ints, Plan
from localcloud.bookstore.stream import Message, Stream

OPS = ("r", "c", "u", "d", "")
READ, CREATE, UPDATE, DELETE, TOMBSTONE = range(len(OPS))
WRAPPED = 0.1
FIRST_LSN, LSN_STEP = 24_000_000, 56

Row = dict[str, Any]


@dataclass(frozen=True)
class Log:
    """What a connector reads from a database's log: a history's events, and a tombstone after each delete.

    Attributes:
        source: Of each event, the one of the history that it is about.
        op: Of each event, as an index of `OPS`.
        lsn: Of each event, its position in the log, ascending with time.
        is_wrapped: Whether an event is sent together with its schema.
    """

    source: Ints
    op: Ints
    lsn: Ints
    is_wrapped: Flags


@dataclass(frozen=True)
class Changes(Stream):
    """The changes of one table."""

    log: Log

    @property
    @abstractmethod
    def columns(self) -> Mapping[str, str]:
        """The table's columns with Kafka Connect's types, the key first."""

    @abstractmethod
    def rows(self, changes: Ints) -> list[Row]:
        """The table's row after each change of the history; what it gives for a delete is not used."""

    @property
    def key(self) -> str:
        return next(iter(self.columns))

    @property
    def has_value(self) -> Flags:
        is_change: Flags = self.log.op != TOMBSTONE
        return is_change

    @property
    def is_sequenced(self) -> Flags:
        return self.has_value

    def documents(self, events: Ints) -> list[Message]:
        return [self._message(change) for change in self._changes(events)]

    def messages(self, events: Ints) -> list[Message]:
        envelope = b'{"schema":' + orjson.dumps(schema_of(self.topic, self.columns)) + b',"payload":%b}'
        is_wrapped = (self.log.is_wrapped & self.has_value)[events].tolist()
        pairs = zip(self.documents(events), is_wrapped, strict=True)
        return [(key, envelope % value if wrapped else value) for (key, value), wrapped in pairs]

    def _message(self, change: Row) -> Message:
        row = change["after"] or change["before"]
        value = orjson.dumps(change) if change["op"] else None
        return orjson.dumps({self.key: row[self.key]}), value

    def _changes(self, events: Ints) -> Iterator[Row]:
        op, source = self.log.op[events], self.log.source[events]
        columns = zip(
            op.tolist(),
            self.rows(np.where((op == UPDATE) | (op == DELETE), source - 1, source)),
            self.rows(source),
            (self.at[events] * 1000).tolist(),
            self.log.lsn[events].tolist(),
            strict=True,
        )
        for code, before, after, ts_ms, lsn in columns:
            yield {
                "before": before if code >= UPDATE else None,
                "after": after if code < DELETE else None,
                "op": OPS[code],
                "ts_ms": ts_ms + lsn % 1000,
                "source": {"connector": "postgresql", "db": "shop", "table": self.name, "ts_ms": ts_ms, "lsn": lsn},
            }


def log_of(plan: Plan, history: History, is_delete: Flags, draw: np.random.Generator) -> Log:
    source = np.repeat(np.arange(len(history)), 1 + is_delete)
    is_tombstone = np.append(False, source[1:] == source[:-1])
    return Log(
        source=source,
        op=np.where(is_tombstone, TOMBSTONE, _ops(plan, history, is_delete)[source]),
        lsn=_lsn(history)[source],
        is_wrapped=draw.random(len(source)) < WRAPPED,
    )


def _ops(plan: Plan, history: History, is_delete: Flags) -> Ints:
    """Rows that are there from the start are read in a snapshot; one that comes back is created anew."""
    appears = history.nth == 0
    comes_back = np.append(False, is_delete[:-1]) & ~appears
    cases = [is_delete, appears & (history.at == plan.opens_at), appears | comes_back]
    return np.select(cases, [DELETE, READ, CREATE], UPDATE)


def _lsn(history: History) -> Ints:
    place = np.empty(len(history), dtype=np.int64)
    place[np.argsort(history.at, kind="stable")] = np.arange(len(history))
    return FIRST_LSN + LSN_STEP * place


def schema_of(topic: str, columns: Mapping[str, str]) -> Row:
    """Kafka Connect's description of a change event."""
    key = next(iter(columns))
    row = [{"field": name, "type": kind, "optional": name != key} for name, kind in columns.items()]
    position = [{"field": name, "type": "int64", "optional": False} for name in ("ts_ms", "lsn")]
    source = [{"field": name, "type": "string", "optional": False} for name in ("connector", "db", "table")]
    fields = [
        {"field": "before", "type": "struct", "optional": True, "name": f"{topic}.Value", "fields": row},
        {"field": "after", "type": "struct", "optional": True, "name": f"{topic}.Value", "fields": row},
        {"field": "op", "type": "string", "optional": False},
        {"field": "ts_ms", "type": "int64", "optional": True},
        {"field": "source", "type": "struct", "optional": False, "fields": source + position},
    ]
    return {"type": "struct", "optional": False, "name": f"{topic}.Envelope", "fields": fields}
