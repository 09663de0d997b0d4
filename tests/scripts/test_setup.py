"""The setup says what it lacks instead of failing somewhere in the middle."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud import programs
from scripts import environment
from scripts.stages import SetupError

_ROOT = Path(__file__).parents[2]


def test_without_java_and_without_root_it_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs.java.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="`sudo apt-get install openjdk-17-jre-headless`"):
        environment.make(dev=False)


def test_an_older_python_is_told_before_anything_else() -> None:
    """The version check comes before the first line that an older Python can't read."""
    source = (_ROOT / "scripts" / "setup.py").read_text()
    check = source.split("from scripts import")[0]
    pretended = f"import sys; sys.version_info = (3, 9, 0); sys.version = '3.9.0 (main)'\n{check}"
    done = subprocess.run([sys.executable, "-c", pretended], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == ("Python 3.11 or newer is required, and this is 3.9.0: try `make PYTHON=python3.11`\n")


def test_make_help_shows_every_command() -> None:
    command = ["make", "--no-print-directory", "help"]
    printed = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True).stdout
    commands = [line.split()[1] for line in printed.splitlines()]
    assert commands == [
        "setup",
        "up",
        "down",
        "demo",
        "test",
        "test-full",
        "bench",
        "lint",
        "pictures",
        "sbom",
        "audit",
        "lock",
        "help",
    ]
