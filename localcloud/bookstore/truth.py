"""What really happened, as files: for checks that must not trust the pipeline."""

import base64
import csv
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import orjson

from localcloud.bookstore.delivery import INTACT, Delivery
from localcloud.bookstore.groups import GROUPS
from localcloud.bookstore.shop import Shop
from localcloud.bookstore.stream import Stream, chunks


def write_truth(folder: Path, shop: Shop, deliveries: Sequence[Delivery]) -> None:
    """Writes the valid events in true order and the planted groups.

    `customers.jsonl`, `books.jsonl`, `orders.jsonl`: each event once, `{"key":…,"value":…}`, a tombstone's value null.
    `malformed.jsonl`: every broken message, key and value in base64, and the reason code to expect.
    `groups.csv`: the group of each customer. `summary.json`: the plan, and what was sent to each topic.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stream in shop.streams:
        _write_lines(folder / f"{stream.name}.jsonl", _events(stream))
    _write_lines(folder / "malformed.jsonl", (line for delivery in deliveries for line in _malformed(delivery)))
    _write_groups(folder / "groups.csv", shop)
    summary = {"plan": dataclasses.asdict(shop.plan), "topics": {d.stream.topic: summary_of(d) for d in deliveries}}
    (folder / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2) + b"\n")


def summary_of(delivery: Delivery) -> dict[str, int]:
    """How many messages are sent; of these, how many are late, second copies, or malformed."""
    return {
        "messages": len(delivery),
        "late": delivery.late,
        "duplicates": delivery.duplicates,
        "malformed": delivery.malformed,
    }


def _write_lines(path: Path, lines: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(lines)


def _events(stream: Stream) -> Iterator[bytes]:
    for events in chunks(stream.in_true_order()):
        for key, value in stream.documents(events):
            yield b'{"key":%b,"value":%b}\n' % (_as_json(key or b""), value or b"null")


def _as_json(key: bytes) -> bytes:
    """A row's key is a JSON object; an order's is its bare number."""
    return key if key.startswith(b"{") else orjson.dumps(key.decode())


def _malformed(delivery: Delivery) -> Iterator[bytes]:
    for places in chunks(np.flatnonzero(delivery.defect != INTACT)):
        for (key, value), reason in delivery.broken(places):
            line = {"topic": delivery.stream.topic, "key": _base64(key), "value": _base64(value), "reason": reason}
            yield orjson.dumps(line) + b"\n"


def _base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _write_groups(path: Path, shop: Shop) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("customer_id", "group"))
        for customer, group in enumerate(shop.population.group.tolist()):
            rows.writerow((customer + shop.plan.first_id, GROUPS[group].name))
