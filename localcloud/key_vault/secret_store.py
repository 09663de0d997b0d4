"""Secrets and their versions, kept in one private file."""

import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from localcloud.home import write_private


class Attributes(BaseModel):
    """A version's attributes; times in seconds since 1970, as Key Vault has them."""

    enabled: bool = True
    nbf: int | None = None
    exp: int | None = None
    created: int = 0
    updated: int = 0


class NewSecret(BaseModel):
    """What a client says of a version that it sets."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    value: str = Field(max_length=25_000)
    content_type: str | None = None
    tags: dict[str, str] | None = None
    attributes: Attributes = Attributes()


class Secret(NewSecret):
    name: str
    version: str

    def described(self, vault_url: str) -> dict[str, Any]:
        """Everything but the value, under the id that has the version."""
        properties = self.model_dump(by_alias=True, exclude_none=True, exclude={"value", "name", "version"})
        return {"id": f"{vault_url}/secrets/{self.name}/{self.version}", **properties}

    def disclosed(self, vault_url: str) -> dict[str, Any]:
        return {"value": self.value, **self.described(vault_url)}


_STATE = TypeAdapter(dict[str, list[Secret]])


class SecretStore:
    """Every version of every secret, the newest last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._secrets = _STATE.validate_json(path.read_bytes()) if path.exists() else {}

    def set(self, name: str, new: NewSecret) -> Secret:
        now = int(time.time())
        attributes = new.attributes.model_copy(update={"created": now, "updated": now})
        content = new.model_dump(exclude={"attributes"})
        secret = Secret(name=name, version=uuid4().hex, attributes=attributes, **content)
        with self._lock:
            secrets = self._secrets | {name: [*self.versions(name), secret]}
            write_private(self._path, _STATE.dump_json(secrets, by_alias=True))
            self._secrets = secrets
        return secret

    def versions(self, name: str) -> list[Secret]:
        return self._secrets.get(name, [])

    def find(self, name: str, version: str = "") -> Secret | None:
        """The given version; without one, the newest."""
        versions = self.versions(name)
        return next((secret for secret in reversed(versions) if version in ("", secret.version)), None)

    def latest(self) -> list[Secret]:
        return [versions[-1] for _, versions in sorted(self._secrets.items())]
