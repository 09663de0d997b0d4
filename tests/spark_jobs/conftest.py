"""Fixtures of the jobs' tests."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest
from pyspark.sql import SparkSession

from spark_jobs.lake import Lake
from spark_jobs.lineage.steps import STEPS, Step
from spark_jobs.tables import Table
from tests.broker import Broker, running_broker
from tests.spark_jobs.lakehouse import forget_names


@pytest.fixture(autouse=True)
def declared_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test is about: a job that touches a table which its step doesn't declare fails."""
    for method in ("path", "name"):
        monkeypatch.setattr(Lake, method, _checked(getattr(Lake, method)))


def _checked(find: Callable[[Lake, Table], str]) -> Callable[[Lake, Table], str]:
    def checked(lake: Lake, table: Table) -> str:
        step = _running_step()
        of_step = STEPS.get(step, Step())
        assert of_step == Step() or table in (*of_step.reads, *of_step.makes, *of_step.amends), (
            f"{step} touches {table.full_name}: spark_jobs/lineage/steps.py must say so"
        )
        return find(lake, table)

    return checked


def _running_step() -> str:
    """The job whose code is running on this thread, if any."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        _, is_job, step = str(frame.f_globals.get("__name__")).partition("spark_jobs.jobs.")
        if is_job:
            return step
        frame = frame.f_back
    return ""


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def broker(kafka: Broker) -> Broker:
    """A running broker whose topics are empty."""
    kafka.empty()
    return kafka


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Iterator[Lake]:
    """An empty lake of the test's own; its tables' names are forgotten afterwards."""
    yield Lake(f"file:{tmp_path}/lake")
    forget_names(spark)
