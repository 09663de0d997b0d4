"""Files that come in a form: `multipart/form-data`."""

from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from localcloud.databricks.errors import invalid_parameter


def is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("multipart/")


async def read_form(request: Request) -> tuple[dict[str, Any], bytes]:
    """The form's fields and its file, whose field has another name in each client.

    Raises:
        ApiError: The form has no file.
    """
    form = await request.form()
    upload = next((value for value in form.values() if isinstance(value, UploadFile)), None)
    if upload is None:
        raise invalid_parameter("a multipart form needs the content as a file, found none")
    return {name: value for name, value in form.items() if isinstance(value, str)}, await upload.read()
