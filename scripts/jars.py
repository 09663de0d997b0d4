"""Jars from Maven Central, each checked against the sum that `jars.lock` has for it."""

import hashlib
import os
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts.stages import SetupError

_CENTRAL = "https://repo1.maven.org/maven2"
_TIMEOUT_SECONDS = 60
_TRIES = 3
_AT_ONCE = 8


@dataclass(frozen=True)
class Jar:
    """A line of `jars.lock`.

    Attributes:
        sha256: What its bytes must add up to.
        kind: Who needs it, and the folder that it goes to: `spark`, `kafka` or `lineage`.
        path: Where it is in a Maven repository.
    """

    sha256: str
    kind: str
    path: str

    def file(self, folder: Path) -> Path:
        return folder / self.kind / Path(self.path).name


def read(lock: Path) -> list[Jar]:
    return [Jar(*line.split()) for line in lock.read_text().splitlines()]


def fetch(lock: Path, folder: Path) -> None:
    """Brings the folder in line with the lock: jars that are missing are fetched, others are removed.

    Raises:
        SetupError: The repository can't be reached, or sends something else.
    """
    jars = read(lock)
    for kind in {jar.kind for jar in jars}:
        (folder / kind).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(_AT_ONCE) as executor:
        list(executor.map(lambda jar: _fetch_one(jar, jar.file(folder)), jars))
    for stale in set(folder.glob("*/*")) - {jar.file(folder) for jar in jars}:
        stale.unlink()


def _fetch_one(jar: Jar, file: Path) -> None:
    if file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == jar.sha256:
        return
    repository = os.environ.get("MAVEN_REPOSITORY_URL", _CENTRAL).rstrip("/")
    content = _download(f"{repository}/{jar.path}")
    found = hashlib.sha256(content).hexdigest()
    if found != jar.sha256:
        raise SetupError(f"{repository}/{jar.path} should have the SHA-256 {jar.sha256} and has {found}: don't use it")
    scratch = file.with_suffix(".part")
    scratch.write_bytes(content)
    scratch.replace(file)


def _download(url: str, tries: int = _TRIES) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - the lock's or the user's URL
            content: bytes = response.read()
            return content
    except OSError as error:
        if tries > 1 and not isinstance(error, urllib.error.HTTPError):
            return _download(url, tries - 1)
        raise SetupError(
            f"{url} is required and could not be fetched ({error}): check the network, or name a mirror of "
            f"Maven Central with MAVEN_REPOSITORY_URL, and try again"
        ) from None
