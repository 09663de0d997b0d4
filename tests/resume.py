"""A pytest plugin, `-p tests.resume`: leaves out what has passed before, as long as nothing in the repository changes.

So a run of hours can be stopped or killed, and the next goes on; after a run that ended well the next begins anew.
"""

import hashlib
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_PASSED, _STATE = "resume/passed", "resume/state"


def pytest_configure(config: pytest.Config) -> None:
    assert config.cache is not None
    config.pluginmanager.register(Resume(config.cache, _state_of(_ROOT)))


def _state_of(root: Path) -> str:
    """Tells one state of a repository's files from another."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    files = [root / name for name in sorted(set(listed.split("\0"))) if (root / name).is_file()]
    told = hashlib.sha256()
    for file in files:
        told.update(f"{file.relative_to(root)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return told.hexdigest()


class Resume:
    """Keeps in pytest's cache, test by test, what has passed.

    Args:
        cache: Of this repository's runs.
        state: What the repository is like now.
    """

    def __init__(self, cache: pytest.Cache, state: str) -> None:
        self._cache = cache
        self._before: list[str] = cache.get(_PASSED, []) if cache.get(_STATE, None) == state else []
        self._passed = list(self._before)
        self._called: set[str] = set()
        cache.set(_PASSED, self._passed)
        cache.set(_STATE, state)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        done = set(self._before)
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in done])
        items[:] = [item for item in items if item.nodeid not in done]

    def pytest_report_collectionfinish(self) -> str:
        return f"{len(self._before)} tests that have passed before are left out; --cache-clear runs them too"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self._called.add(report.nodeid)
        if report.when == "teardown" and report.passed and report.nodeid in self._called:
            self._passed.append(report.nodeid)
            self._cache.set(_PASSED, self._passed)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if exitstatus == pytest.ExitCode.OK:
            self._cache.set(_PASSED, [])
