"""Faults on demand of the storage account: requests that it refuses or answers late, and answers that are lost.

A fault to come is an empty file in the home, named by when it was asked for, its place, its seconds and its kind.
Azurite removes one for each request that meets it (`localcloud/azurite/faults.js`): nothing is counted by two
processes, and nothing has to be asked of the storage.
"""

import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Any

from localcloud.home import Home


class StorageFault(StrEnum):
    """What the next requests meet."""

    REFUSES = "refuses"
    """The storage is busy (503), and doesn't do what was asked."""
    LOSES_ANSWERS = "loses-answers"
    """It does what was asked, and the connection breaks."""
    SLOW = "slow"


@dataclass(frozen=True)
class FaultsToCome:
    """Requests in a row that meet the same.

    Attributes:
        times: How many still do.
        seconds: By how much longer each takes.
    """

    kind: StorageFault
    times: int
    seconds: float = 0


def faults_folder(home: Home) -> Path:
    return home.run / "storage-faults"


def add_storage_faults(home: Home, wanted: FaultsToCome) -> None:
    faults_folder(home).mkdir(mode=0o700, parents=True, exist_ok=True)
    asked_at = time.time_ns()
    seconds = wanted.seconds if wanted.kind is StorageFault.SLOW else 0
    for place in range(wanted.times):
        (faults_folder(home) / f"{asked_at:020}-{place:04}-{seconds:g}-{wanted.kind}").touch()


def storage_faults_to_come(home: Home) -> list[dict[str, Any]]:
    found = sorted(path.name.split("-", 3) for path in faults_folder(home).glob("*"))
    groups = groupby(found, key=lambda words: (words[0], words[2], words[3]))
    return [
        asdict(FaultsToCome(StorageFault(kind), len(list(group)), float(seconds)))
        for (_, seconds, kind), group in groups
    ]


def clear_storage_faults(home: Home) -> None:
    """Takes back what is still to come."""
    for path in faults_folder(home).glob("*"):
        path.unlink(missing_ok=True)
