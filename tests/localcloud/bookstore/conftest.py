"""A small bookstore, and a real broker."""

import datetime as dt
import os
import subprocess
from collections.abc import Iterator

import pytest

from localcloud.audit import produced_offsets
from localcloud.bookstore.plan import Plan
from localcloud.bookstore.shop import Shop, shop_of
from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.services import kafka
from tests.localcloud.waiting import wait_until

PLAN = Plan(customers=300, books=400, orders=3_000, start=dt.date(2025, 1, 1), end=dt.date(2025, 12, 31), seed=1)


@pytest.fixture(scope="session")
def shop() -> Shop:
    return shop_of(PLAN)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Kafka broker with the bookstore's topics."""
    home = Home(tmp_path_factory.mktemp("kafka") / "home")
    home.create()
    kafka.prepare(home)
    service = kafka.service(home)
    log = home.logs / "kafka.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            service.command, stdout=output, stderr=output, env={**os.environ, **service.environment}
        )
    try:
        wait_until(service.is_healthy, limit=60)
        service.initialise()
        wait_until(lambda: _has_leaders(service.address), limit=60)
        yield service.address
    finally:
        process.terminate()
        process.wait(30)


def _has_leaders(broker: str) -> bool:
    """A topic that has just been made can be asked nothing for a moment."""
    try:
        return len(produced_offsets(broker)) == len(kafka.TOPICS) * kafka.PARTITIONS
    except LocalCloudError:
        return False
