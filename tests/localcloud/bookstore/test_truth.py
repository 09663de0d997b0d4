import base64
import csv
import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.bookstore.delivery import Delivery, deliver
from localcloud.bookstore.groups import GROUPS
from localcloud.bookstore.plan import Disorder
from localcloud.bookstore.shop import Shop
from localcloud.bookstore.truth import write_truth
from tests.localcloud.bookstore.contract import verdict


@pytest.fixture(scope="module")
def deliveries(shop: Shop) -> list[Delivery]:
    return [deliver(stream, Disorder(0.05, 0.05, 0.02)) for stream in shop.streams]


@pytest.fixture(scope="module")
def truth(shop: Shop, deliveries: list[Delivery], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("truth") / "new" / "folder"
    write_truth(folder, shop, deliveries)
    return folder


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("topic", [0, 1, 2])
def test_every_valid_event_is_there_once_and_in_true_order(truth: Path, shop: Shop, topic: int) -> None:
    stream = shop.streams[topic]
    expected = [
        (key.decode() if stream.name == "orders" else json.loads(key), json.loads(value) if value else None)
        for key, value in stream.documents(stream.in_true_order())
        if key
    ]
    assert [(line["key"], line["value"]) for line in lines(truth / f"{stream.name}.jsonl")] == expected


def test_every_broken_message_is_there_with_its_reason(truth: Path, deliveries: list[Delivery]) -> None:
    broken = lines(truth / "malformed.jsonl")
    assert len(broken) == sum(delivery.malformed for delivery in deliveries)
    for line in broken:
        key = None if line["key"] is None else base64.b64decode(line["key"])
        assert verdict(line["topic"], key, base64.b64decode(line["value"])) == line["reason"]


def test_every_customer_has_a_group(truth: Path, shop: Shop) -> None:
    with (truth / "groups.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["customer_id"]) for row in rows] == list(range(1, 301))
    assert [row["group"] for row in rows] == [GROUPS[group].name for group in shop.population.group]


def test_the_summary_says_what_was_sent(truth: Path, deliveries: list[Delivery]) -> None:
    summary = json.loads((truth / "summary.json").read_text())
    assert summary["plan"] == {
        "customers": 300,
        "books": 400,
        "orders": 3_000,
        "start": "2025-01-01",
        "end": "2025-12-31",
        "seed": 1,
        "first_id": 1,
    }
    assert summary["topics"] == {
        delivery.stream.topic: {
            "messages": len(delivery),
            "late": delivery.late,
            "duplicates": delivery.duplicates,
            "malformed": delivery.malformed,
        }
        for delivery in deliveries
    }
