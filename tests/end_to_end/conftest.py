"""A bookstore's history, played through every DAG once, for all end-to-end tests."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from localcloud.bookstore.plan import Disorder, Plan
from localcloud.bookstore.production import produce_bookstore
from localcloud.demo import Stages, run_chain
from localcloud.services.kafka import bootstrap_servers
from tests.cloud import Cloud

YESTERDAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
PLAN = Plan(customers=400, books=120, orders=5_000, start=YESTERDAY - dt.timedelta(days=364), end=YESTERDAY, seed=11)
DISORDER = Disorder(late=0.05, duplicates=0.05, malformed=0.02)


@dataclass(frozen=True)
class Chain:
    """A cloud through which the history went, and the truth about it."""

    cloud: Cloud
    truth: Path
    last_day: dt.date


@pytest.fixture(scope="session")
def chain(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    truth = tmp_path_factory.mktemp("truth")
    production = produce_bookstore(bootstrap_servers(cloud.home), PLAN, DISORDER, lambda *_: None, truth)
    run_chain(cloud.home, PLAN.end, production.messages, Stages(Console()))
    return Chain(cloud, truth, PLAN.end)
