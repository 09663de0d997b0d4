"""A cloud's whole state, recorded under a name and put back: tables, events, runs, DAG runs and secrets."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcloud import lifecycle, supervision
from localcloud.airflow.config import AIRFLOW_DATABASE
from localcloud.errors import LocalCloudError
from localcloud.home import PORTS_FILE, Home

_FOLDER = "recordings"
_NAME = re.compile(r"\w[\w.-]*", re.ASCII)
_STAYS = {_FOLDER, "run"}
"""What no recording has, and what is left alone by one that is put back."""
_IDENTITY = {PORTS_FILE, "secrets", "tls"}
"""By what clients know a cloud."""


def record(home: Home, name: str) -> Path:
    """Copies the state; a recording of this name is replaced once the new one is whole.

    Raises:
        LocalCloudError: The cloud is up, or its state isn't all in its home.
    """
    target = _recording(home, name)
    with _at_rest(home):
        scratch = target.with_name(f".{name}")
        _copy(home.root, scratch)
        shutil.rmtree(target, ignore_errors=True)
        scratch.rename(target)
    return target


def restore(home: Home, name: str) -> None:
    """Puts a state back. Cut short, it can be repeated: the recording is only read.

    Raises:
        LocalCloudError: The cloud is up, its state isn't all in its home, or there is no such recording.
    """
    source = _recording(home, name)
    if not source.is_dir():
        there = ", ".join(sorted(path.name for path in source.parent.glob("[!.]*"))) or "none"
        raise LocalCloudError(f"A recording is required, and {name} is not one; there are: {there}")
    with _at_rest(home):
        _empty(home.root, keep=_STAYS)
        _copy(source, home.root)


def reset(home: Home) -> None:
    """Removes all but what clients know the cloud by, and recordings.

    Raises:
        LocalCloudError: The cloud is up, or its state isn't all in its home.
    """
    with _at_rest(home):
        _empty(home.root, keep=_STAYS | _IDENTITY)
        home.create()


@contextmanager
def _at_rest(home: Home) -> Iterator[None]:
    """Nothing runs, and nothing is started meanwhile."""
    if (home.secrets / AIRFLOW_DATABASE).exists():
        raise LocalCloudError(
            "A home with all of its state in it is required, and Airflow's is in a PostgreSQL: use its pg_dump, or "
            f"remove {home.secrets / AIRFLOW_DATABASE}"
        )
    with lifecycle.alone(home):
        if supervision.is_running(home):
            raise LocalCloudError("The cloud must be down, and it is up: `localcloud down` first")
        yield


def _recording(home: Home, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise LocalCloudError(f"A name of letters, digits, dots, dashes and underscores is required, found {name!r}")
    folder = home.root / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / name


def _copy(source: Path, target: Path) -> None:
    def left_out(folder: str, names: list[str]) -> set[str]:
        return _STAYS & set(names) if Path(folder) == source else set()

    shutil.copytree(source, target, symlinks=True, ignore=left_out, dirs_exist_ok=True)


def _empty(folder: Path, keep: set[str]) -> None:
    for path in folder.iterdir():
        if path.name in keep:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
