"""The RESULT line, and that arguments are checked before a session is started."""

import datetime as dt
import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from pyspark.sql import SparkSession

from spark_jobs import entry
from spark_jobs.auto_cdc.errors import ConcurrentCallError
from spark_jobs.errors import ArgumentError, JobError


@dataclass(frozen=True)
class Config:
    lake_root: str
    snapshot_date: dt.date


def run(spark: SparkSession, config: Config) -> dict[str, Any]:
    sys.stdout.write("progress\n")
    return {"rows": spark.range(3).count(), "snapshot_date": config.snapshot_date}


@pytest.mark.usefixtures("spark")
def test_the_last_line_is_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    entry.run_job("a_step", Config, run, ["--lake_root=x", "--snapshot_date=2026-01-31"])
    marker, _, text = capsys.readouterr().out.splitlines()[-1].partition(" ")
    assert marker == "RESULT"
    assert json.loads(text) == {"step": "a_step", "rows": 3, "snapshot_date": "2026-01-31"}


def test_a_wrong_argument_fails_before_a_session_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "get_session", lambda: pytest.fail("a session was started"))
    with pytest.raises(ArgumentError, match="--snapshot_date must be a date"):
        entry.run_job("a_step", Config, run, ["--lake_root=x", "--snapshot_date=soon"])


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(("error", "helps"), [(ArgumentError, False), (ConcurrentCallError, True)])
def test_who_fails_on_purpose_says_whether_a_retry_helps(
    error: type[JobError], helps: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> dict[str, Any]:
        raise error("as it is")

    with pytest.raises(error, match="as it is"):
        entry.run_job("a_step", Config, fail, ["--lake_root=x", "--snapshot_date=2026-01-31"])
    marker, _, text = capsys.readouterr().out.splitlines()[-1].partition(" ")
    assert marker == "FAILURE"
    assert json.loads(text) == {"step": "a_step", "kind": error.__name__, "retry_helps": helps}


def test_without_argv_the_command_line_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["a_step", "--nonsense=1"])
    with pytest.raises(ArgumentError, match="unknown argument --nonsense"):
        entry.run_job("a_step", Config, run)
