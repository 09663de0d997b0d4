"""The page for operators names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "operations.md").read_text()


def test_every_row_of_the_table_of_faults_names_tests_that_exist() -> None:
    _, _, table = PAGE.partition("## What was tried out")
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert [row for row in rows if "`test_" not in row] == []
    files = (ROOT / "tests").rglob("test_*.py")
    there = {name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)}
    assert set(re.findall(r"`(test_\w+)`", table)) - there == set()
