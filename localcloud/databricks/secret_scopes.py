"""Secret scopes: values in private files, references resolved, and every value kept out of what is shown."""

import base64
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from localcloud.databricks.errors import ApiError, already_exists, invalid_parameter, not_found
from localcloud.home import write_private

REDACTED = "[REDACTED]"
SCOPES_FOLDER = "secret-scopes"
_NAME = re.compile(r"[A-Za-z0-9_\-@.]{1,128}")
_REFERENCE = re.compile(r"\{\{\s*secrets/([^/{}\s]+)/([^/{}\s]+)\s*\}\}")


@dataclass(frozen=True)
class SecretScopes:
    """Scopes are folders and secrets are files, readable by their owner only."""

    root: Path

    def scopes(self) -> list[str]:
        return sorted(path.name for path in self.root.glob("*/"))

    def create_scope(self, scope: str) -> None:
        path = self._scope_path(scope)
        if path.exists():
            raise already_exists(f"Scope {scope} already exists!")
        path.mkdir(parents=True, mode=0o700)

    def delete_scope(self, scope: str) -> None:
        shutil.rmtree(self._existing_scope(scope))

    def put(self, scope: str, key: str, value: str) -> None:
        self._existing_scope(scope)
        write_private(self._key_path(scope, key), value)

    def get(self, scope: str, key: str) -> str:
        return self._existing_key(scope, key).read_text()

    def keys(self, scope: str) -> dict[str, int]:
        """The scope's keys and when each was last put, in milliseconds."""
        paths = self._existing_scope(scope).iterdir()
        return {path.name: path.stat().st_mtime_ns // 1_000_000 for path in sorted(paths)}

    def delete(self, scope: str, key: str) -> None:
        self._existing_key(scope, key).unlink()

    def resolve(self, text: str) -> str:
        """Replaces each `{{secrets/scope/key}}` by its value."""
        return _REFERENCE.sub(lambda found: self.get(found[1], found[2]), text)

    def redact(self, text: str) -> str:
        """Replaces every secret's value, however it is encoded, by `[REDACTED]`."""
        values = [path.read_text() for path in self.root.glob("*/*")]
        for form in sorted({form for value in values for form in _encodings(value)}, key=len, reverse=True):
            text = text.replace(form, REDACTED)
        return text

    def _scope_path(self, scope: str) -> Path:
        return self.root / _checked("scope", scope)

    def _key_path(self, scope: str, key: str) -> Path:
        return self._scope_path(scope) / _checked("key", key)

    def _existing_scope(self, scope: str) -> Path:
        path = self._scope_path(scope)
        if not path.is_dir():
            raise not_found(f"Scope {scope} does not exist!")
        return path

    def _existing_key(self, scope: str, key: str) -> Path:
        path = self._existing_scope(scope) / _checked("key", key)
        if not path.is_file():
            raise not_found(f"Secret does not exist with scope: {scope} and key: {key}")
        return path


def refers_to_secret(text: str) -> bool:
    return _REFERENCE.search(text) is not None


def _checked(kind: str, name: str) -> str:
    if not _NAME.fullmatch(name) or set(name) == {"."}:
        raise _bad_name(kind, name)
    return name


def _bad_name(kind: str, name: str) -> ApiError:
    return invalid_parameter(f"a {kind}'s name has 1 to 128 letters, digits, '-', '_', '@' and '.', found {name!r}")


def _encodings(value: str) -> set[str]:
    plain = value.strip()
    in_json = json.dumps(plain)[1:-1]
    forms = {
        plain,
        in_json,
        in_json.replace("/", "\\/"),
        quote(plain),
        quote(plain, safe=""),
        base64.b64encode(plain.encode()).decode(),
    }
    return forms - {""}
