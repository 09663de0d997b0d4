"""What the REST API answers when it refuses, in the shape that Databricks' clients parse."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from localcloud.errors import LocalCloudError

_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


class ApiError(LocalCloudError):
    """Raised when a request can't be served; becomes `{"error_code": …, "message": …}`.

    Args:
        status: The HTTP status.
        error_code: Databricks' name for what is wrong.
        message: One sentence for a person.
        reason: What clients go by where Databricks tells more than the code, in the answer's `details`.
    """

    def __init__(self, status: int, error_code: str, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message
        self.reason = reason


def invalid_parameter(message: str) -> ApiError:
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def not_found(message: str) -> ApiError:
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def already_exists(message: str) -> ApiError:
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", message)


def invalid_state(message: str) -> ApiError:
    return ApiError(400, "INVALID_STATE", message)


def not_implemented(method: str, path: str) -> ApiError:
    return ApiError(501, "NOT_IMPLEMENTED", f"{method} {path} is not implemented by the local workspace")


def install_error_handlers(app: FastAPI) -> None:
    """Makes every refusal, validation failure included, answer in Databricks' shape."""

    @app.exception_handler(ApiError)
    def refused(_: Request, error: ApiError) -> JSONResponse:
        return answer_refusal(error)

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        return _answer(400, "INVALID_PARAMETER_VALUE", describe(error.errors()))

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> JSONResponse:
        message = f"{request.method} {request.url.path} failed in the local workspace: {type(error).__name__}: {error}"
        return _answer(500, "INTERNAL_ERROR", message)


def describe(errors: Sequence[Mapping[str, Any]]) -> str:
    """One sentence per field that could not be read."""
    sentences = []
    for found in errors:
        where = [str(part) for part in found["loc"] if part not in ("body", "query", "path")]
        sentences.append(f"{'.'.join(where) or 'body'}: {found['msg']}")
    return "; ".join(sentences)


def answer_refusal(error: ApiError) -> JSONResponse:
    return _answer(error.status, error.error_code, error.message, error.reason)


def _answer(status: int, error_code: str, message: str, reason: str = "") -> JSONResponse:
    details = [{"@type": _ERROR_INFO, "reason": reason, "domain": "databricks.com"}]
    more = {"details": details} if reason else {}
    return JSONResponse({"error_code": error_code, "message": message, **more}, status_code=status)
