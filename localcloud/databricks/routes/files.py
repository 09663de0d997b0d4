"""Unity Catalog volumes: `fs/files/Volumes/…` and `fs/directories/Volumes/…`."""

import email.utils
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from localcloud.databricks.errors import ApiError, already_exists, invalid_parameter, not_found
from localcloud.databricks.files import VOLUMES
from localcloud.databricks.routes.common import Current
from localcloud.databricks.workspace import Workspace

router = APIRouter(prefix="/api/2.0/fs")


@router.put("/files/{path:path}", status_code=204)
async def upload(path: str, request: Request, workspace: Current, overwrite: bool = True) -> None:
    target = _locate(workspace, path)
    if target.is_dir() or (target.exists() and not overwrite):
        raise ApiError(409, "ALREADY_EXISTS", f"/{path} already exists")
    target.parent.mkdir(parents=True, exist_ok=True)
    await _write(target, request.stream())


@router.post("/files/{path:path}")
def begin_upload(path: str, action: Literal["initiate-upload"], workspace: Current) -> dict[str, Any]:  # noqa: ARG001
    """A large file begins as parts. Nobody signs URLs for them here, at which clients send it in one piece."""
    _locate(workspace, path)
    return {"multipart_upload": {"session_token": "in-one-piece"}}


@router.get("/files/{path:path}")
def download(path: str, workspace: Current) -> FileResponse:
    return FileResponse(_existing_file(workspace, path), media_type="application/octet-stream")


@router.head("/files/{path:path}")
def metadata(path: str, workspace: Current) -> Response:
    stat = _existing_file(workspace, path).stat()
    modified = email.utils.formatdate(stat.st_mtime, usegmt=True)
    headers = {"content-length": str(stat.st_size), "last-modified": modified}
    return Response(headers=headers, media_type="application/octet-stream")


@router.delete("/files/{path:path}", status_code=204)
def delete(path: str, workspace: Current) -> None:
    _existing_file(workspace, path).unlink()


@router.put("/directories/{path:path}", status_code=204)
def create_directory(path: str, workspace: Current) -> None:
    target = _locate(workspace, path)
    if target.is_file():
        raise already_exists(f"/{path} is a file")
    target.mkdir(parents=True, exist_ok=True)


@router.head("/directories/{path:path}")
def directory_exists(path: str, workspace: Current) -> Response:
    _existing_directory(workspace, path)
    return Response()


@router.get("/directories/{path:path}")
def list_directory(path: str, workspace: Current) -> dict[str, Any]:
    folder = _existing_directory(workspace, path)
    return {"contents": [_entry(f"/{path.rstrip('/')}", each) for each in sorted(folder.iterdir())]}


@router.delete("/directories/{path:path}", status_code=204)
def delete_directory(path: str, workspace: Current) -> None:
    folder = _existing_directory(workspace, path)
    if any(folder.iterdir()):
        reason = "FILES_API_DIRECTORY_IS_NOT_EMPTY"
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"/{path} is not empty: delete what it holds first", reason)
    shutil.rmtree(folder)


async def _write(target: Path, chunks: AsyncIterator[bytes]) -> None:
    scratch = target.with_name(f".{target.name}.partial")
    with scratch.open("wb") as file:
        async for chunk in chunks:
            file.write(chunk)
    scratch.replace(target)


def _entry(folder: str, path: Path) -> dict[str, Any]:
    stat = path.stat()
    size = {} if path.is_dir() else {"file_size": stat.st_size}
    return {
        "path": f"{folder}/{path.name}",
        "name": path.name,
        "is_directory": path.is_dir(),
        "last_modified": stat.st_mtime_ns // 1_000_000,
        **size,
    }


def _locate(workspace: Workspace, path: str) -> Path:
    if not path.startswith(f"{VOLUMES}/"):
        raise invalid_parameter(f"a path under /{VOLUMES}/ is required, found /{path}")
    return workspace.files.within(VOLUMES, path.removeprefix(VOLUMES))


def _existing_file(workspace: Workspace, path: str) -> Path:
    target = _locate(workspace, path)
    if not target.is_file():
        raise not_found(f"The file /{path} does not exist")
    return target


def _existing_directory(workspace: Workspace, path: str) -> Path:
    target = _locate(workspace, path)
    if not target.is_dir():
        raise not_found(f"The directory /{path} does not exist")
    return target
