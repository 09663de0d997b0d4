"""`make test-full` goes on where it was stopped."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_TESTS = """\
import os
import pytest

@pytest.fixture
def untidy():
    yield
    assert not os.path.exists("untidy")

def test_first(): pass
def test_untidy(untidy): pass
def test_last():
    assert not os.path.exists("broken")
    if os.path.exists("fatal"):
        os._exit(9)
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of its own, with the plugin in it, whose tests fail where a file says so."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "resume.py").write_text((ROOT / "tests" / "resume.py").read_text())
    (tmp_path / "tests" / "test_it.py").write_text(_TESTS)
    (tmp_path / ".gitignore").write_text("broken\nfatal\nuntidy\n.pytest_cache\n__pycache__\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def ran(repository: Path) -> tuple[list[str], int]:
    """The tests that were run, and the exit code."""
    command = [sys.executable, "-m", "pytest", "-v", "-p", "tests.resume", "-o", "addopts="]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("tests/test_it.py::")]
    return list(dict.fromkeys(line.split()[0].partition("::")[2] for line in lines)), done.returncode


def test_what_has_passed_is_left_out_until_all_has_passed(repository: Path) -> None:
    (repository / "broken").touch()
    (repository / "untidy").touch()
    assert ran(repository) == (["test_first", "test_untidy", "test_last"], 1)
    (repository / "untidy").unlink()
    assert ran(repository) == (["test_untidy", "test_last"], 1)
    (repository / "broken").unlink()
    assert ran(repository) == (["test_last"], 0)
    assert ran(repository) == (["test_first", "test_untidy", "test_last"], 0)


def test_a_run_that_dies_goes_on_where_it_was(repository: Path) -> None:
    (repository / "fatal").touch()
    assert ran(repository)[1] == 9
    (repository / "fatal").unlink()
    assert ran(repository) == (["test_last"], 0)


def test_what_has_passed_counts_for_the_code_that_was_tested(repository: Path) -> None:
    (repository / "broken").touch()
    ran(repository)
    (repository / "tests" / "code.py").write_text("")
    assert ran(repository)[0] == ["test_first", "test_untidy", "test_last"]
