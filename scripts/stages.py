"""Stages of the setup: each is skipped when what it depends on hasn't changed since it was last done."""

import hashlib
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
_ERROR_LINES = 12


class SetupError(Exception):
    """What was required, what was found, and what to do next."""


@dataclass(frozen=True)
class Stage:
    """A part of the setup.

    Attributes:
        name: For progress, and of the file that remembers that it is done.
        inputs: Files and words that decide what it makes.
        act: Makes it.
    """

    name: str
    inputs: tuple[Path | str, ...]
    act: Callable[[], None]

    def run(self) -> None:
        """Does what isn't done, and says how long it took."""
        if self._is_done():
            return
        print(f"… {self.name}", flush=True)
        began = time.monotonic()
        self.act()
        self._stamp.parent.mkdir(parents=True, exist_ok=True)
        self._stamp.write_text(self._digest())
        print(f"✓ {self.name}  {time.monotonic() - began:.1f} s", flush=True)

    def _is_done(self) -> bool:
        return self._stamp.exists() and self._stamp.read_text() == self._digest()

    @property
    def _stamp(self) -> Path:
        return VENV / ".stamps" / self.name.replace(" ", "-")

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for part in self.inputs:
            content = part.read_bytes() if isinstance(part, Path) else part.encode()
            digest.update(hashlib.sha256(content).digest())
        return digest.hexdigest()


def run(*command: str | Path, purpose: str, cwd: Path = ROOT) -> None:
    """Runs a program quietly.

    Raises:
        SetupError: It failed; says what for, with the end of what it printed.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        said = "\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-_ERROR_LINES:])
        raise SetupError(f"{purpose}\nThe end of what `{Path(command[0]).name}` said:\n{said}")
