"""The managed identity endpoint, as App Service offers it and DefaultAzureCredential asks it."""

import secrets
from typing import Annotated

from fastapi import FastAPI, Header, Query
from fastapi.responses import JSONResponse

from localcloud.key_vault import IDENTITY_PATH
from localcloud.key_vault.tokens import Tokens
from localcloud.loopback import LoopbackOnly


def create_identity(tokens: Tokens, identity_header: str) -> FastAPI:
    """The endpoint's application.

    Args:
        tokens: What issues tokens.
        identity_header: What a caller must know, IDENTITY_HEADER in its environment.
    """
    app = FastAPI(title="Managed identity", openapi_url=None)
    app.add_middleware(LoopbackOnly)

    @app.get(IDENTITY_PATH)
    def get_token(
        resource: Annotated[str, Query(min_length=1)],
        api_version: Annotated[str, Query(alias="api-version", min_length=1)],  # noqa: ARG001 - Azure requires it
        x_identity_header: Annotated[str, Header()] = "",
    ) -> JSONResponse:
        if not secrets.compare_digest(x_identity_header.encode(), identity_header.encode()):
            message = "X-IDENTITY-HEADER must be the value of IDENTITY_HEADER: see `localcloud env`."
            return JSONResponse({"statusCode": 401, "message": message}, status_code=401)
        token = tokens.issue(resource)
        # Azure's clients expect the time as text.
        content = {"access_token": token.value, "expires_on": str(token.expires_on)}
        return JSONResponse(content | {"resource": resource, "token_type": "Bearer"})

    return app
