"""Key Vault's REST API for secrets, as azure-keyvault-secrets speaks it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from localcloud.key_vault.secret_store import DeletedSecretError, NewSecret, Properties, Secret, SecretStore
from localcloud.key_vault.tokens import Tokens
from localcloud.loopback import LoopbackOnly

_PUBLIC_CLOUD_RESOURCE = "https://vault.azure.net"
_TENANT = "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000"
_PAGE = 25

Name = Annotated[str, Path(pattern=r"^[0-9a-zA-Z-]{1,127}$")]
Skip = Annotated[int, Query(alias="$skiptoken", ge=0)]
MaxResults = Annotated[int, Query(alias="maxresults", ge=1, le=_PAGE)]


class VaultError(Exception):
    """Raised where Key Vault answers with an error.

    Args:
        status: The HTTP status.
        code: Key Vault's own name for what is wrong, e.g. `SecretNotFound`.
        message: One sentence for a person.
        headers: What goes with it.
    """

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


def create_vault(store: SecretStore, tokens: Tokens, port: int) -> FastAPI:
    """The vault's application.

    Args:
        store: Where secrets are kept.
        tokens: What tells which tokens are good.
        port: Where it will listen, on 127.0.0.1; part of every secret's id.
    """
    url = f"https://127.0.0.1:{port}"
    app = FastAPI(title="Key Vault", openapi_url=None)
    app.add_middleware(LoopbackOnly)
    app.add_exception_handler(VaultError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    authorized = [Depends(_authorization(tokens, _resource(port)))]
    for routes in (_secrets(store, url), _deleted_secrets(store, url), _unknown()):
        app.include_router(routes, dependencies=authorized)
    return app


def _resource(port: int) -> str:
    """Whom a token has to be for.

    Azure's clients accept a challenge only if their vault's host is a name below the resource's, as
    `name.vault.azure.net` is below `vault.azure.net`. They compare text, so 127.0.0.1 is below 0.0.1.
    """
    return f"https://0.0.1:{port}"


def _authorization(tokens: Tokens, resource: str) -> Any:
    challenge = f'Bearer authorization="{_TENANT}", resource="{resource}"'

    def authorize(request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not tokens.is_valid(token, [resource, _PUBLIC_CLOUD_RESOURCE]):
            message = "A valid bearer token is required: get one from the managed identity (IDENTITY_ENDPOINT)."
            raise VaultError(401, "Unauthorized", message, {"WWW-Authenticate": challenge})

    return authorize


def _secrets(store: SecretStore, url: str) -> APIRouter:
    routes = APIRouter()

    @routes.put("/secrets/{name}")
    def set_secret(name: Name, secret: NewSecret) -> dict[str, Any]:
        try:
            return store.set(name, secret).disclosed(url)
        except DeletedSecretError:
            message = f"Secret {name} is deleted and its name not free: recover or purge it first."
            raise VaultError(409, "Conflict", message) from None

    @routes.patch("/secrets/{name}/{version}")
    def update_secret(name: Name, version: str, change: Properties) -> dict[str, Any]:
        return _existing(store.update(name, version, change), name, version).described(url)

    @routes.delete("/secrets/{name}")
    def delete_secret(name: Name) -> dict[str, Any]:
        _existing(store.find(name), name)
        store.delete(name)
        return store.deleted(name)[-1].described_as_deleted(url)

    @routes.get("/secrets")
    def list_secrets(skip: Skip = 0, size: MaxResults = _PAGE) -> dict[str, Any]:
        # The list shows each secret without its version: the id stands for whichever is the newest.
        items = [secret.described(url) | {"id": f"{url}/secrets/{secret.name}"} for secret in store.latest()]
        return _page(items, skip, size, f"{url}/secrets")

    @routes.get("/secrets/{name}/versions")
    def list_versions(name: Name, skip: Skip = 0, size: MaxResults = _PAGE) -> dict[str, Any]:
        items = [secret.described(url) for secret in store.versions(name)]
        return _page(items, skip, size, f"{url}/secrets/{name}/versions")

    @routes.get("/secrets/{name}")
    @routes.get("/secrets/{name}/{version:path}")
    def get_secret(name: Name, version: str = "") -> dict[str, Any]:
        return _readable(store.find(name, version), name, version).disclosed(url)

    return routes


def _deleted_secrets(store: SecretStore, url: str) -> APIRouter:
    routes = APIRouter(prefix="/deletedsecrets")

    def deleted(name: Name) -> Secret:
        return _existing(next(reversed(store.deleted(name)), None), name)

    @routes.get("")
    def list_deleted(skip: Skip = 0, size: MaxResults = _PAGE) -> dict[str, Any]:
        items = [secret.described_as_deleted(url) for secret in store.latest(deleted=True)]
        return _page(items, skip, size, f"{url}/deletedsecrets")

    @routes.get("/{name}")
    def get_deleted(name: Name) -> dict[str, Any]:
        return deleted(name).described_as_deleted(url)

    @routes.post("/{name}/recover")
    def recover(name: Name) -> dict[str, Any]:
        found = deleted(name)
        store.recover(name)
        return found.described(url)

    @routes.delete("/{name}", status_code=204)
    def purge(name: Name) -> None:
        store.purge(deleted(name).name)

    return routes


def _unknown() -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/{path:path}", methods=["GET", "PUT", "POST", "PATCH", "DELETE"], include_in_schema=False)
    def refuse(request: Request) -> None:
        route = f"{request.method} {request.url.path}"
        raise VaultError(501, "NotImplemented", f"{route} is not part of the local Key Vault, which keeps secrets only")

    return routes


def _existing(secret: Secret | None, name: str, version: str = "") -> Secret:
    if secret is None:
        wanted = f"{name}/{version}".rstrip("/")
        raise VaultError(404, "SecretNotFound", f"A secret with (name/id) {wanted} was not found in this key vault.")
    return secret


def _readable(found: Secret | None, name: str, version: str) -> Secret:
    """A secret whose value may be shown: also one outside of its dates, as in Azure, but none that is disabled."""
    secret = _existing(found, name, version)
    if not secret.attributes.enabled:
        raise VaultError(403, "Forbidden", "Operation get is not allowed on a disabled secret.")
    return secret


def _page(items: list[dict[str, Any]], skip: int, size: int, url: str) -> dict[str, Any]:
    more = f"{url}?api-version=7.4&$skiptoken={skip + size}&maxresults={size}" if len(items) > skip + size else None
    return {"value": items[skip : skip + size], "nextLink": more}


def _answer_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, VaultError)  # noqa: S101 - FastAPI's handlers are typed for any exception
    content = {"error": {"code": error.code, "message": str(error)}}
    return JSONResponse(content, status_code=error.status, headers=error.headers)


def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    # Only what was wrong and where: the rejected input may be a secret's value.
    assert isinstance(error, RequestValidationError)  # noqa: S101
    problems = "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())
    return _answer_error(request, VaultError(400, "BadParameter", problems))
