"""Stories over Spark Connect, in a process of its own: a process has one kind of session."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.spark_jobs.auto_cdc.stories import KINDS

pytestmark = pytest.mark.full

_SCRIPT = Path(__file__).with_name("connect_script.py")


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("connect")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    done = subprocess.run(
        [sys.executable, str(_SCRIPT), str(folder), *KINDS],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    printed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return printed


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_shows_how_each_story_ends(answer: dict[str, Any], kind: str) -> None:
    assert answer["told"][kind] == KINDS[kind].expected()


def test_a_stream_applies_its_batches(answer: dict[str, Any]) -> None:
    assert answer["streamed"] == [[1, "a", 10, 15], [1, "late", 15, 20], [1, "a", 20, None], [2, "b", 10, 30]]


def test_a_null_key_is_refused_with_our_own_words(answer: dict[str, Any]) -> None:
    assert "1 with a null key column id" in answer["refusal"]
