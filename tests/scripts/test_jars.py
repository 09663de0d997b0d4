"""Jars come from the repository, and only those that the lock knows."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from localcloud.ports import find_free
from scripts import jars
from scripts.stages import SetupError

_JARS = {"org/one/1.0/one-1.0.jar": b"first", "org/two/2.0/two-2.0.jar": b"second"}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        del format, args


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is served as a Maven repository."""
    root = tmp_path / "maven"
    for path, content in _JARS.items():
        (root / path).parent.mkdir(parents=True)
        (root / path).write_bytes(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MAVEN_REPOSITORY_URL", f"http://127.0.0.1:{server.server_port}/")
    yield root
    server.shutdown()
    server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    lock = tmp_path / "jars.lock"
    kinds = ("spark", "kafka")
    sums = {path: hashlib.sha256(content).hexdigest() for path, content in _JARS.items()}
    lock.write_text("".join(f"{sums[path]}  {kind}  {path}\n" for kind, path in zip(kinds, _JARS, strict=True)))
    return lock


@pytest.mark.usefixtures("repository")
def test_jars_go_into_the_folder_of_who_needs_them(lock: Path, tmp_path: Path) -> None:
    folder = tmp_path / "jars"
    jars.fetch(lock, folder)
    found = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert found == {"spark/one-1.0.jar": b"first", "kafka/two-2.0.jar": b"second"}


def test_a_jar_that_is_there_is_not_fetched_again(lock: Path, tmp_path: Path, repository: Path) -> None:
    jars.fetch(lock, tmp_path / "jars")
    (repository / "org/one/1.0/one-1.0.jar").unlink()
    jars.fetch(lock, tmp_path / "jars")
    assert (tmp_path / "jars/spark/one-1.0.jar").read_bytes() == b"first"


@pytest.mark.usefixtures("repository")
def test_a_broken_jar_is_mended_and_a_stale_one_removed(lock: Path, tmp_path: Path) -> None:
    spark = tmp_path / "jars" / "spark"
    spark.mkdir(parents=True)
    (spark / "one-1.0.jar").write_bytes(b"fir")
    (spark / "one-0.9.jar").write_bytes(b"older")
    jars.fetch(lock, tmp_path / "jars")
    assert {file.name: file.read_bytes() for file in spark.iterdir()} == {"one-1.0.jar": b"first"}


def test_a_jar_with_another_sum_is_refused(lock: Path, tmp_path: Path, repository: Path) -> None:
    (repository / "org/one/1.0/one-1.0.jar").write_bytes(b"tampered")
    with pytest.raises(SetupError) as raised:
        jars.fetch(lock, tmp_path / "jars")
    expected, found = (hashlib.sha256(content).hexdigest() for content in (b"first", b"tampered"))
    assert str(raised.value).endswith(
        f"org/one/1.0/one-1.0.jar should have the SHA-256 {expected} and has {found}: don't use it"
    )
    assert not (tmp_path / "jars/spark/one-1.0.jar").exists()


def test_a_jar_that_is_missing_is_named(lock: Path, tmp_path: Path, repository: Path) -> None:
    (repository / "org/two/2.0/two-2.0.jar").unlink()
    with pytest.raises(SetupError, match=r"org/two/2\.0/two-2\.0\.jar is required and could not be fetched .*404"):
        jars.fetch(lock, tmp_path / "jars")


def test_a_repository_out_of_reach_says_what_to_do(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAVEN_REPOSITORY_URL", f"http://127.0.0.1:{find_free(taken=())}")
    with pytest.raises(SetupError) as raised:
        jars.fetch(lock, tmp_path / "jars")
    assert str(raised.value).endswith(
        "check the network, or name a mirror of Maven Central with MAVEN_REPOSITORY_URL, and try again"
    )


def test_the_projects_lock_names_each_jar_once() -> None:
    lines = (Path(__file__).parents[2] / "jars.lock").read_text().splitlines()
    files = [jars.Jar(*line.split()).file(Path()) for line in lines]
    assert len(files) == len(set(files)) == 69
    assert {file.parent.name for file in files} == {"spark", "kafka", "lineage"}
