"""`localcloud produce` as a user runs it, against a real broker."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from localcloud.bookstore.command import produce
from localcloud.errors import LocalCloudError

SMALL = ["--customers", "50", "--books", "30", "--orders", "200", "--start", "2025-01-01", "--end", "2025-12-31"]


def run(*arguments: str) -> Result:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(produce)
    return CliRunner().invoke(app, [*SMALL, *arguments])


def test_it_says_what_was_sent_and_what_comes_next(broker: str, tmp_path: Path) -> None:
    rates = ["--late", "0.1", "--duplicates", "0.1", "--malformed", "0.1"]
    result = run("--bootstrap-servers", broker, "--truth", str(tmp_path), *rates)
    topics = json.loads((tmp_path / "summary.json").read_text())["topics"]
    *lines, truth, last = result.stdout.splitlines()
    for (topic, sent), line in zip(topics.items(), lines, strict=True):
        assert line.startswith(f"✓ {topic:<20} {sent['messages']:>9,} messages, ")
        counts = f"{sent['late']:,} late, {sent['duplicates']:,} twice, {sent['malformed']:,} malformed"
        assert line.endswith(counts)
    assert truth == f"The truth about them is in {tmp_path}"
    assert last.startswith(f"{sum(sent['messages'] for sent in topics.values()):,} messages in ")
    assert last.endswith("all confirmed by Kafka. Next: trigger the DAG ingest_events, then localcloud audit")


def test_the_plan_is_as_asked(broker: str, tmp_path: Path) -> None:
    run("--bootstrap-servers", broker, "--truth", str(tmp_path), "--seed", "9", "--first-id", "1001")
    assert json.loads((tmp_path / "summary.json").read_text())["plan"] == {
        "customers": 50,
        "books": 30,
        "orders": 200,
        "start": "2025-01-01",
        "end": "2025-12-31",
        "seed": 9,
        "first_id": 1001,
    }


def test_without_a_cloud_or_a_broker_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="there is none: run `localcloud up`, or name a broker with --bootstrap"):
        raise run("--home", str(tmp_path)).exception or AssertionError("it went through")
