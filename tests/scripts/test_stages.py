"""A stage is done once, until what it depends on changes."""

from pathlib import Path

import pytest

from scripts import stages
from scripts.stages import SetupError, Stage, run


@pytest.fixture(autouse=True)
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stages, "VENV", tmp_path / ".venv")
    return tmp_path / ".venv"


def _count(*inputs: Path | str, times: list[str]) -> Stage:
    return Stage("some stage", inputs, lambda: times.append("done"))


def test_a_stage_is_not_done_twice(tmp_path: Path) -> None:
    times: list[str] = []
    file = tmp_path / "input"
    file.write_text("one")
    _count(file, times=times).run()
    _count(file, times=times).run()
    assert times == ["done"]


def test_a_stage_is_done_again_when_an_input_changes(tmp_path: Path) -> None:
    times: list[str] = []
    file = tmp_path / "input"
    for content in ("one", "two", "one"):
        file.write_text(content)
        _count(file, times=times).run()
    assert times == ["done"] * 3


def test_inputs_do_not_run_into_each_other() -> None:
    times: list[str] = []
    _count("ab", "c", times=times).run()
    _count("a", "bc", times=times).run()
    assert times == ["done"] * 2


def test_a_stage_that_failed_is_tried_again() -> None:
    def fail() -> None:
        raise SetupError("no network")

    with pytest.raises(SetupError):
        Stage("some stage", ("input",), fail).run()
    times: list[str] = []
    _count("input", times=times).run()
    assert times == ["done"]


def test_what_is_done_is_shown_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    _count("input", times=[]).run()
    began, ended = capsys.readouterr().out.splitlines()
    assert began == "… some stage"
    assert ended.startswith("✓ some stage  0.")
    assert ended.endswith(" s")


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(SetupError) as raised:
        run("sh", "-c", "echo broken; exit 3", purpose="Something is required and could not be made.")
    assert str(raised.value) == ("Something is required and could not be made.\nThe end of what `sh` said:\n  broken")
