"""Looks for a secret, in the forms in which it could have been written down, wherever a run leaves traces."""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import psutil

from tests.processes import command

_CHUNK = 1 << 20


def forms(secret: str) -> list[bytes]:
    """The secret as it is, base64 (at each alignment within a longer text), URL- and JSON-encoded."""
    plain = secret.encode()
    encoded = [base64.b64encode(b"\0" * shift + plain)[4 if shift else 0 : -4] for shift in range(3)]
    texts = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], secret.replace("/", "\\/")}
    return [text.encode() for text in sorted(texts)] + encoded


def in_files(root: Path, needles: list[bytes], allowed: Iterable[Path]) -> Iterator[Path]:
    """Files below `root` that hold one of `needles`, those in or below `allowed` left out."""
    permitted = tuple(allowed)
    for path in sorted(root.rglob("*")):
        if path.is_file() and not any(path.is_relative_to(place) for place in permitted) and _holds(path, needles):
            yield path


def in_process_lists(needles: list[bytes]) -> Iterator[str]:
    """Command lines of running processes that hold one of `needles`."""
    for process in psutil.process_iter():
        words = command(process)
        if any(needle in "\0".join(words).encode() for needle in needles):
            yield words[0]


def _holds(path: Path, needles: list[bytes]) -> bool:
    overlap = max(map(len, needles))
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            window = tail + chunk
            if any(needle in window for needle in needles):
                return True
            tail = window[-overlap:]
    return False
