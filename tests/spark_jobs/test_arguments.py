import datetime as dt
from dataclasses import dataclass

import pytest

from spark_jobs.arguments import parse_arguments
from spark_jobs.errors import ArgumentError


@dataclass(frozen=True)
class Config:
    lake_root: str
    snapshot_date: dt.date | None = None
    lookback_days: int = 365
    tolerance: float = 0.5
    full_refresh: bool = False


def test_reads_both_forms_and_every_type() -> None:
    argv = [
        "--lake_root=abfss://c@a/lake",
        "--snapshot-date",
        "2026-01-31",
        "--lookback_days=30",
        "--full_refresh=true",
    ]

    assert parse_arguments(Config, argv) == Config("abfss://c@a/lake", dt.date(2026, 1, 31), 30, 0.5, full_refresh=True)


def test_a_value_may_hold_an_equals_sign() -> None:
    assert parse_arguments(Config, ["--lake_root=a=b"]).lake_root == "a=b"


def test_an_empty_value_counts_as_absent() -> None:
    assert parse_arguments(Config, ["--lake_root=x", "--snapshot_date=", "--lookback_days="]) == Config("x")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--lake_root=x", "--lookback=3"], "unknown argument --lookback: expected one of --full_refresh"),
        ([], "--lake_root is required and was not given: pass --lake_root=<str>"),
        (["--lake_root="], "--lake_root is required and was not given"),
        (
            ["--lake_root=x", "--snapshot_date=31.01.2026"],
            "--snapshot_date must be a date as YYYY-MM-DD, found '31.01.2026'",
        ),
        (
            ["--lake_root=x", "--snapshot_date=20260131"],
            "--snapshot_date must be a date as YYYY-MM-DD, found '20260131'",
        ),
        (["--lake_root=x", "--lookback_days=a year"], "--lookback_days must be a whole number, found 'a year'"),
        (["--lake_root=x", "--full_refresh=maybe"], "--full_refresh must be true or false, found 'maybe'"),
        (["lake_root=x"], "expected --name=value, found 'lake_root=x'"),
    ],
)
def test_refuses_in_one_sentence(argv: list[str], sentence: str) -> None:
    with pytest.raises(ArgumentError, match=sentence):
        parse_arguments(Config, argv)
