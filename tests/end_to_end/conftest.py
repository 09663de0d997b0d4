"""A bookstore's history, played through every DAG once, for all end-to-end tests."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from localcloud.demo import Stages, Volume, run_chain
from tests.cloud import Cloud

LAST_DAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
VOLUME = Volume(
    customers=400, books=120, orders=5_000, seed=11, late=0.05, duplicates=0.05, malformed=0.02, end=LAST_DAY
)


@dataclass(frozen=True)
class Chain:
    """A cloud through which the history went, and the truth about it."""

    cloud: Cloud
    truth: Path
    volume: Volume


@pytest.fixture(scope="session")
def chain(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    truth = tmp_path_factory.mktemp("truth")
    cloud.localcloud("produce", *VOLUME.arguments(), "--truth", str(truth))
    run_chain(cloud.home, VOLUME, Stages(Console()))
    return Chain(cloud, truth, VOLUME)
