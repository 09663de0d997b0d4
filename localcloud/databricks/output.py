"""What a task wrote, with every known secret taken out."""

from dataclasses import dataclass
from pathlib import Path

from localcloud.databricks.secret_scopes import SecretScopes

_LIMIT_BYTES = 5 * 1024 * 1024  # what runs/get-output returns at most


@dataclass(frozen=True)
class Output:
    """The end of one stream.

    Attributes:
        is_truncated: Whether there was more before it.
    """

    text: str
    is_truncated: bool


def read_output(path: Path, secrets: SecretScopes, limit: int = _LIMIT_BYTES) -> Output:
    """The last bytes of a stream's file; empty when the task hasn't begun."""
    if not path.is_file():
        return Output("", is_truncated=False)
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - limit))
        content = file.read()
    return Output(secrets.redact(content.decode(errors="replace")), is_truncated=size > limit)
