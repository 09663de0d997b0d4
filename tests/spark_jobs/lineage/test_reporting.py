"""What a job tells a catalogue, and that nothing about it concerns the job."""

import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from spark_jobs import entry
from spark_jobs.errors import ArgumentError, MissingTableError
from spark_jobs.lineage.reporting import LineageConfig
from spark_jobs.lineage.steps import STEPS
from tests.spark_jobs.lineage.catalogue import FakeCatalogue
from tests.spark_jobs.lineage.runs import DAG_RUN, LAKE_ROOT, TASK, Settings

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


@pytest.fixture(autouse=True)
def no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "get_session", lambda: None)


def run(url: str, result: Mapping[str, Any] | Exception) -> None:
    """Runs `merge_customer_orders`, which does nothing but end like this."""

    def job(_: object, settings: Settings) -> Mapping[str, Any]:
        assert settings == Settings()
        if isinstance(result, Exception):
            raise result
        return result

    words = [f"--lake_root={LAKE_ROOT}", f"--lineage_url={url}", f"--lineage_parent={TASK}", "--lineage_root", DAG_RUN]
    entry.run_job("merge_customer_orders", Settings, job, words)


def outline(catalogue: FakeCatalogue) -> list[tuple[str, int, int]]:
    """Of each event its type, and of how many inputs and outputs it tells."""
    return [(event["eventType"], len(event["inputs"]), len(event["outputs"])) for event in catalogue.told]


def test_a_run_is_told_from_its_beginning_to_its_end(catalogue: FakeCatalogue) -> None:
    run(catalogue.url, {"rows": 3})
    assert outline(catalogue) == [("START", 3, 1), ("COMPLETE", 3, 1)]
    start, end = catalogue.told
    assert start["run"] == end["run"]
    assert start["job"]["namespace"] == "bookstore"
    assert start["job"]["name"] == "merge_customer_orders"
    assert start["run"]["facets"]["parent"]["job"] == {"namespace": "bookstore", "name": "refresh_silver.merge_orders"}


def test_a_step_that_is_skipped_has_written_nothing(catalogue: FakeCatalogue) -> None:
    run(catalogue.url, {"skipped": "nothing to do"})
    assert outline(catalogue) == [("START", 3, 1), ("COMPLETE", 3, 0)]


def test_a_failure_is_told_and_stays_what_it_was(catalogue: FakeCatalogue) -> None:
    with pytest.raises(MissingTableError, match="is required"):
        run(catalogue.url, MissingTableError("silver.orders is required"))
    assert outline(catalogue) == [("START", 3, 1), ("FAIL", 3, 0)]
    assert catalogue.told[1]["run"]["facets"]["errorMessage"]["message"] == "silver.orders is required"


def test_a_catalogue_that_is_down_is_two_lines_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    run("http://127.0.0.1:9/api/v1/lineage", {"rows": 3})
    *said, result = capsys.readouterr().out.splitlines()
    assert [line.split(" (")[0] for line in said] == [
        "Lineage: 127.0.0.1:9 was not told START",
        "Lineage: 127.0.0.1:9 was not told COMPLETE",
    ]
    assert result == 'RESULT {"step": "merge_customer_orders", "rows": 3}'


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ArgumentError, match="must be an http:// or https:// address, found 'file:///etc/passwd'"):
        LineageConfig("file:///etc/passwd")


def test_each_step_says_what_it_reads_and_writes() -> None:
    steps = tomllib.loads(PYPROJECT.read_text())["project"]["scripts"]
    assert set(STEPS) == set(steps)


def test_without_a_catalogue_nothing_of_it_is_imported() -> None:
    code = f"""
import sys
from dataclasses import dataclass
from spark_jobs import entry
entry.get_session = lambda: None
@dataclass(frozen=True)
class Config:
    lake_root: str
entry.run_job("merge_orders", Config, lambda spark, config: {{}}, ["--lake_root={LAKE_ROOT}"])
print([name for name in sys.modules if "lineage" in name])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ['RESULT {"step": "merge_orders"}', "[]"]
