"""Files that are being uploaded to DBFS block by block."""

import itertools
import threading
from dataclasses import dataclass, field
from pathlib import Path

from localcloud.databricks.errors import not_found


@dataclass
class Uploads:
    """Open handles; a file appears under its name when its handle is closed."""

    _targets: dict[int, Path] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, target: Path) -> int:
        with self._lock:
            handle = next(self._numbers)
            self._targets[handle] = target
            _partial(target, handle).write_bytes(b"")
            return handle

    def write(self, handle: int, block: bytes) -> None:
        with self._lock, _partial(self._target(handle), handle).open("ab") as file:
            file.write(block)

    def close(self, handle: int) -> None:
        with self._lock:
            target = self._target(handle)
            _partial(target, handle).replace(target)
            del self._targets[handle]

    def _target(self, handle: int) -> Path:
        if handle not in self._targets:
            raise not_found(f"No open upload has the handle {handle}: it was closed, or the workspace was restarted.")
        return self._targets[handle]


def _partial(target: Path, handle: int) -> Path:
    return target.with_name(f".{target.name}.{handle}.partial")
