"""Secrets and their versions, kept in one private file; a deleted secret stays in it until it is purged."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from localcloud.home import write_private

STORAGE_KEY_SECRET = "adls-account-key"  # noqa: S105 - the secret's name
RECOVERABLE_DAYS = 90
_DAY_SECONDS = 24 * 60 * 60
_RECOVERY = {"recoveryLevel": "Recoverable+Purgeable", "recoverableDays": RECOVERABLE_DAYS}
Seconds = Field(default=None, ge=0, lt=2**53)


class DeletedSecretError(Exception):
    """Raised when a secret is set whose name belongs to a deleted one."""


class Attributes(BaseModel):
    """A version's attributes; times in seconds since 1970, as Key Vault has them."""

    enabled: bool = True
    nbf: int | None = Seconds
    exp: int | None = Seconds
    created: int = 0
    updated: int = 0


class Properties(BaseModel):
    """What a client may say of a version besides its value; what it leaves out stays as it is."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    content_type: str | None = None
    tags: dict[str, str] | None = None
    attributes: Attributes = Attributes()


class NewSecret(Properties):
    """What a client says of a version that it sets."""

    value: str = Field(max_length=25_000)


class Secret(NewSecret):
    """A version; `deleted` is when the secret was deleted that it belongs to."""

    name: str
    version: str
    deleted: int | None = None

    def described(self, vault_url: str) -> dict[str, Any]:
        """Everything but the value, under the id that has the version."""
        excluded = {"value", "name", "version", "deleted"}
        properties = self.model_dump(by_alias=True, exclude_none=True, exclude=excluded)
        properties["attributes"] |= _RECOVERY
        return {"id": f"{vault_url}/secrets/{self.name}/{self.version}", **properties}

    def disclosed(self, vault_url: str) -> dict[str, Any]:
        return {"value": self.value, **self.described(vault_url)}

    def described_as_deleted(self, vault_url: str) -> dict[str, Any]:
        deleted = self.deleted or 0
        return {
            **self.described(vault_url),
            "recoveryId": f"{vault_url}/deletedsecrets/{self.name}",
            "deletedDate": deleted,
            "scheduledPurgeDate": deleted + RECOVERABLE_DAYS * _DAY_SECONDS,
        }

    def changed(self, change: Properties) -> "Secret":
        given = change.model_dump(exclude_unset=True)
        attributes = {**self.attributes.model_dump(), **given.pop("attributes", {}), "updated": int(time.time())}
        return self.model_copy(update={**given, "attributes": Attributes.model_validate(attributes)})


_STATE = TypeAdapter(dict[str, list[Secret]])


class SecretStore:
    """Every version of every secret, the newest last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._secrets = _STATE.validate_json(path.read_bytes()) if path.exists() else {}

    def set(self, name: str, new: NewSecret) -> Secret:
        """Adds a version.

        Raises:
            DeletedSecretError: The name is that of a deleted secret.
        """
        now = int(time.time())
        attributes = new.attributes.model_copy(update={"created": now, "updated": now})
        content = new.model_dump(exclude={"attributes"})
        secret = Secret(name=name, version=uuid4().hex, attributes=attributes, **content)
        with self._lock:
            if self.deleted(name):
                raise DeletedSecretError(name)
            self._write(self._secrets | {name: [*self.versions(name), secret]})
        return secret

    def update(self, name: str, version: str, change: Properties) -> Secret | None:
        """Changes a version's properties; returns it, or None where there is none."""
        found = self.find(name, version)
        if found is None:
            return None
        changed = found.changed(change)
        self._change(name, lambda each: changed if each.version == version else each)
        return changed

    def delete(self, name: str) -> None:
        now = int(time.time())
        self._change(name, lambda each: each.model_copy(update={"deleted": now}))

    def recover(self, name: str) -> None:
        self._change(name, lambda each: each.model_copy(update={"deleted": None}))

    def purge(self, name: str) -> None:
        """Forgets a secret for good."""
        with self._lock:
            self._write({each: versions for each, versions in self._secrets.items() if each != name})

    def versions(self, name: str) -> list[Secret]:
        return [secret for secret in self._secrets.get(name, []) if secret.deleted is None]

    def deleted(self, name: str) -> list[Secret]:
        """Every version of a deleted secret."""
        return [secret for secret in self._secrets.get(name, []) if secret.deleted is not None]

    def find(self, name: str, version: str = "") -> Secret | None:
        """The given version; without one, the newest."""
        versions = self.versions(name)
        return next((secret for secret in reversed(versions) if version in ("", secret.version)), None)

    def latest(self, *, deleted: bool = False) -> list[Secret]:
        """The newest version of each secret, of those that are there or of those that are deleted."""
        newest = [versions[-1] for _, versions in sorted(self._secrets.items())]
        return [secret for secret in newest if (secret.deleted is not None) == deleted]

    def _change(self, name: str, change: Callable[[Secret], Secret]) -> None:
        with self._lock:
            self._write(self._secrets | {name: [change(secret) for secret in self._secrets[name]]})

    def _write(self, secrets: dict[str, list[Secret]]) -> None:
        write_private(self._path, _STATE.dump_json(secrets, by_alias=True))
        self._secrets = secrets
