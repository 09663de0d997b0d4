"""DBFS: `dbfs/*`."""

import base64
import shutil
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ValidationError

from localcloud.databricks.errors import ApiError, already_exists, describe, invalid_parameter, not_found
from localcloud.databricks.files import DBFS
from localcloud.databricks.routes.common import Current
from localcloud.databricks.routes.forms import is_form, read_form
from localcloud.databricks.workspace import Workspace

router = APIRouter(prefix="/api/2.0/dbfs")
_MOST_READ = _LARGEST_BLOCK = 1024 * 1024


class DbfsPath(BaseModel):
    path: str
    recursive: bool = False


class Put(BaseModel):
    path: str
    contents: str = ""
    overwrite: bool = False


class Create(BaseModel):
    path: str
    overwrite: bool = False


class Block(BaseModel):
    handle: int
    data: str


class Handle(BaseModel):
    handle: int


class Move(BaseModel):
    source_path: str
    destination_path: str


@router.post("/put")
async def put(request: Request, workspace: Current) -> dict[str, Any]:
    """The content comes in base64, or as a form's file, which may be larger than a block."""
    payload, content = await _put_fields(request)
    _new_file(workspace, payload.path, payload.overwrite).write_bytes(content)
    return {}


@router.post("/create")
def create(payload: Create, workspace: Current) -> dict[str, int]:
    target = _new_file(workspace, payload.path, payload.overwrite)
    return {"handle": workspace.uploads.open(target)}


@router.post("/add-block")
def add_block(payload: Block, workspace: Current) -> dict[str, Any]:
    workspace.uploads.write(payload.handle, _decoded(payload.data))
    return {}


@router.post("/close")
def close(payload: Handle, workspace: Current) -> dict[str, Any]:
    workspace.uploads.close(payload.handle)
    return {}


@router.get("/get-status")
def get_status(path: str, workspace: Current) -> dict[str, Any]:
    return _info(workspace, _existing(workspace, path))


@router.get("/list")
def list_folder(path: str, workspace: Current) -> dict[str, Any]:
    target = _existing(workspace, path)
    found = sorted(target.iterdir()) if target.is_dir() else [target]
    return {"files": [_info(workspace, each) for each in found]}


@router.get("/read")
def read(
    path: str,
    workspace: Current,
    offset: int = Query(default=0, ge=0),
    length: int = Query(default=_MOST_READ // 2, ge=0),
) -> dict[str, Any]:
    with _existing(workspace, path).open("rb") as file:
        file.seek(offset)
        data = file.read(min(length, _MOST_READ))
    return {"bytes_read": len(data), "data": base64.b64encode(data).decode()}


@router.post("/mkdirs")
def mkdirs(payload: DbfsPath, workspace: Current) -> dict[str, Any]:
    target = _locate(workspace, payload.path)
    if target.is_file():
        raise already_exists(f"{payload.path} is a file")
    target.mkdir(parents=True, exist_ok=True)
    return {}


@router.post("/move")
def move(payload: Move, workspace: Current) -> dict[str, Any]:
    source, target = _existing(workspace, payload.source_path), _locate(workspace, payload.destination_path)
    if target.exists():
        raise already_exists(f"{payload.destination_path} already exists")
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    return {}


@router.post("/delete")
def delete(payload: DbfsPath, workspace: Current) -> dict[str, Any]:
    """As on Databricks, deleting what isn't there is no error."""
    target = _locate(workspace, payload.path)
    if target.is_file():
        target.unlink()
    elif target.is_dir():
        _delete_folder(target, payload)
    return {}


def _delete_folder(folder: Path, payload: DbfsPath) -> None:
    if any(folder.iterdir()) and not payload.recursive:
        # Clients tell this refusal by its sentence.
        sentence = "Directory is not empty. Use recursive delete or remove contents first."
        raise ApiError(400, "IO_ERROR", f"{payload.path}: {sentence}")
    shutil.rmtree(folder)


def _locate(workspace: Workspace, path: str) -> Path:
    return workspace.files.within(DBFS, path.removeprefix("dbfs:"))


def _existing(workspace: Workspace, path: str) -> Path:
    target = _locate(workspace, path)
    if not target.exists():
        raise not_found(f"No file or directory exists on path {path}.")
    return target


def _new_file(workspace: Workspace, path: str, overwrite: bool) -> Path:
    target = _locate(workspace, path)
    if target.is_dir() or (target.exists() and not overwrite):
        raise already_exists(f"A file or directory already exists at the input path {path}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


async def _put_fields(request: Request) -> tuple[Put, bytes]:
    try:
        if is_form(request):
            fields, content = await read_form(request)
            return Put.model_validate(fields), content
        payload = Put.model_validate_json(await request.body())
    except ValidationError as error:
        raise invalid_parameter(describe(error.errors())) from None
    return payload, _decoded(payload.contents)


def _decoded(text: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        raise invalid_parameter("the content must be in base64") from None
    if len(content) > _LARGEST_BLOCK:
        raise ApiError(400, "MAX_BLOCK_SIZE_EXCEEDED", f"a block has at most {_LARGEST_BLOCK} bytes")
    return content


def _info(workspace: Workspace, path: Path) -> dict[str, Any]:
    stat = path.stat()
    root = workspace.files.within(DBFS, "/")
    return {
        "path": f"/{path.relative_to(root).as_posix()}".removesuffix("."),
        "is_dir": path.is_dir(),
        "file_size": 0 if path.is_dir() else stat.st_size,
        "modification_time": stat.st_mtime_ns // 1_000_000,
    }
