"""The same stories over Spark Connect, in a process of its own: a process has one kind of session."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

_SCRIPT = Path(__file__).with_name("connect_script.py")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[object]]]:
    folder = tmp_path_factory.mktemp("connect")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    done = subprocess.run(
        [sys.executable, str(_SCRIPT), str(folder)],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    tables: dict[str, list[list[object]]] = json.loads(done.stdout.splitlines()[-1])
    return tables


def test_type_1_takes_deletes_truncates_and_late_events(told: dict[str, list[list[object]]]) -> None:
    assert told["latest"] == [[2, "b"], [4, "late"]]


def test_type_2_splits_a_row_at_a_late_event(told: dict[str, list[list[object]]]) -> None:
    assert told["versions"] == [[1, "a", 10, 15], [1, "late", 15, 20], [1, "a", 20, None], [2, "b", 10, 30]]


def test_a_stream_applies_its_batches(told: dict[str, list[list[object]]]) -> None:
    assert told["streamed"] == [[1, "a", 10, 15], [1, "late", 15, 20], [1, "a", 20, None], [2, "b", 10, 30]]


def test_a_null_key_is_refused_with_our_own_words(told: dict[str, list[list[object]]]) -> None:
    assert told["refusal"] == [["RejectedBatchError", True]]
