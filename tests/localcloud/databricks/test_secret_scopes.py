"""Secret scopes: kept apart, resolved for clusters, and taken out of everything shown."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from databricks.sdk.errors import NotFound
from databricks.sdk.errors.base import DatabricksError

from localcloud.databricks.errors import ApiError
from localcloud.databricks.secret_scopes import SecretScopes
from tests.localcloud.databricks.server import Server

VALUE = "a/b+c==d"


@pytest.fixture
def scopes(tmp_path: Path) -> SecretScopes:
    scopes = SecretScopes(tmp_path / "scopes")
    scopes.create_scope("bookstore")
    scopes.put("bookstore", "key", VALUE)
    return scopes


def test_references_become_values(scopes: SecretScopes) -> None:
    assert scopes.resolve("x{{secrets/bookstore/key}}y") == f"x{VALUE}y"
    assert scopes.resolve("no reference") == "no reference"


def test_a_reference_to_nothing_says_which(scopes: SecretScopes) -> None:
    with pytest.raises(ApiError, match="Secret does not exist with scope: bookstore and key: other"):
        scopes.resolve("{{secrets/bookstore/other}}")


@pytest.mark.parametrize(
    "shown",
    [
        VALUE,
        base64.b64encode(VALUE.encode()).decode(),
        quote(VALUE),
        quote(VALUE, safe=""),
        json.dumps(VALUE)[1:-1],
        VALUE.replace("/", "\\/"),
    ],
)
def test_every_encoding_of_a_value_is_redacted(scopes: SecretScopes, shown: str) -> None:
    assert scopes.redact(f"before {shown} after") == "before [REDACTED] after"


def test_only_the_owner_can_read_the_files(scopes: SecretScopes) -> None:
    assert (scopes.root / "bookstore" / "key").stat().st_mode & 0o777 == 0o600
    assert (scopes.root / "bookstore").stat().st_mode & 0o777 == 0o700


def test_scopes_and_secrets_through_the_sdk(workspace: Server) -> None:
    secrets = workspace.client.secrets
    secrets.create_scope("other")
    with pytest.raises(DatabricksError, match="Scope other already exists!"):
        secrets.create_scope("other")
    secrets.put_secret("other", "plain", string_value=VALUE)
    secrets.put_secret("other", "bytes", bytes_value=base64.b64encode(b"bytes").decode())
    assert [secret.key for secret in secrets.list_secrets("other")] == ["bytes", "plain"]
    assert secrets.get_secret("other", "plain").value == base64.b64encode(VALUE.encode()).decode()
    assert workspace.client.dbutils.secrets.get("other", "bytes") == "bytes"
    secrets.delete_secret("other", "plain")
    with pytest.raises(NotFound):
        secrets.get_secret("other", "plain")
    assert "other" in [scope.name for scope in secrets.list_scopes()]
    secrets.delete_scope("other")
    with pytest.raises(NotFound, match="Scope other does not exist!"):
        list(secrets.list_secrets("other"))
