"""Workspace files and Python notebooks in source format: `workspace/*`."""

import base64
import shutil
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from localcloud.databricks.errors import ApiError, already_exists, invalid_parameter, not_found
from localcloud.databricks.files import WORKSPACE
from localcloud.databricks.routes.common import Current
from localcloud.databricks.routes.forms import is_form, read_form
from localcloud.databricks.workspace import Workspace

router = APIRouter(prefix="/api/2.0")
_FORMATS = ("AUTO", "RAW", "SOURCE")
_NOTEBOOK_HEADER = b"# Databricks notebook source"
_TOP_FOLDERS = ("Shared", "Users")


class ObjectPath(BaseModel):
    path: str
    recursive: bool = False


@router.post("/workspace/import")
async def import_file(request: Request, workspace: Current) -> dict[str, Any]:
    fields, content = await _import_fields(request)
    path, content = _as_stored(fields, content)
    _store(workspace, path, content, overwrite=str(fields.get("overwrite", "false")).lower() == "true")
    return {}


@router.post("/workspace-files/import-file/{path:path}")
async def import_body(path: str, request: Request, workspace: Current, overwrite: bool = False) -> dict[str, Any]:
    """Takes the body as it is: so the command line deploys bundles. A file that is there is a conflict here."""
    stored, content = _as_stored({"path": f"/{path}", "format": "AUTO"}, await request.body())
    target = _locate(workspace, stored)
    if target.is_file() and not overwrite and _kind(target)["object_type"] == "FILE":
        raise ApiError(409, "ALREADY_EXISTS", f"{_shown(workspace, target)} already exists.")
    _store(workspace, stored, content, overwrite=overwrite)
    return {}


def _store(workspace: Workspace, path: str, content: bytes, *, overwrite: bool) -> None:
    target = _locate(workspace, path)
    if not target.parent.is_dir():
        raise not_found(f"The parent folder ({_shown(workspace, target.parent)}) does not exist.")
    if target.is_dir():
        raise already_exists(f"{_shown(workspace, target)} is a folder")
    if target.exists() and not overwrite:
        raise already_exists(f"{_shown(workspace, target)} already exists. Please pass overwrite=true to update it.")
    target.write_bytes(content)


@router.get("/workspace/export")
def export(
    workspace: Current,
    path: str,
    direct_download: bool = False,
    form: Annotated[str, Query(alias="format")] = "SOURCE",
) -> Response:
    _check_format(form)
    target = _existing(workspace, path)
    if target.is_dir():
        raise invalid_parameter(f"{path} is a folder, and only files and notebooks can be exported")
    content = target.read_bytes()
    if direct_download:
        return Response(content, media_type="application/octet-stream")
    encoded = base64.b64encode(content).decode()
    return Response(f'{{"content": "{encoded}"}}', media_type="application/json")


@router.get("/workspace/get-status")
def get_status(workspace: Current, path: str) -> dict[str, Any]:
    return _info(workspace, _existing(workspace, path))


@router.get("/workspace/list")
def list_folder(workspace: Current, path: str) -> dict[str, Any]:
    folder = _existing(workspace, path)
    found = sorted(folder.iterdir()) if folder.is_dir() else [folder]
    return {"objects": [_info(workspace, each) for each in found]}


@router.post("/workspace/mkdirs")
def mkdirs(payload: ObjectPath, workspace: Current) -> dict[str, Any]:
    target = _locate(workspace, payload.path)
    if target.is_file():
        raise already_exists(f"{payload.path} is a file")
    target.mkdir(parents=True, exist_ok=True)
    return {}


@router.post("/workspace/delete")
def delete(payload: ObjectPath, workspace: Current) -> dict[str, Any]:
    target = _existing(workspace, payload.path)
    if target == _root(workspace):
        raise invalid_parameter("the workspace's root can't be deleted")
    if target.is_file():
        target.unlink()
    elif payload.recursive or not any(target.iterdir()):
        shutil.rmtree(target)
    else:
        raise ApiError(400, "DIRECTORY_NOT_EMPTY", f"Folder {payload.path} is not empty: pass recursive=true")
    return {}


def _as_stored(fields: dict[str, Any], content: bytes) -> tuple[str, bytes]:
    """Where the content goes, and what of it: a notebook begins with its header, and its name has no suffix."""
    path, form = str(fields.get("path", "")), str(fields.get("format", "SOURCE"))
    _check_format(form)
    is_source = form == "SOURCE" or (form == "AUTO" and content.startswith(_NOTEBOOK_HEADER))
    if not is_source:
        return path, content
    if str(fields.get("language", "PYTHON")) != "PYTHON":
        raise invalid_parameter(f"notebooks must be in PYTHON locally, found {fields['language']}")
    if content.startswith(_NOTEBOOK_HEADER):
        return path.removesuffix(".py"), content
    return path.removesuffix(".py"), _NOTEBOOK_HEADER + b"\n" + content


async def _import_fields(request: Request) -> tuple[dict[str, Any], bytes]:
    if is_form(request):
        return await read_form(request)
    try:
        body = await request.json()
        return dict(body), base64.b64decode(body.get("content", ""), validate=True)
    except (ValueError, TypeError, AttributeError):
        raise invalid_parameter("a JSON object with its content in base64 is required") from None


def _check_format(form: str) -> None:
    if form not in _FORMATS:
        raise invalid_parameter(f"format must be one of {', '.join(_FORMATS)} locally, found {form}")


def _root(workspace: Workspace) -> Path:
    root = workspace.files.within(WORKSPACE, "/")
    for name in _TOP_FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    return root


def _locate(workspace: Workspace, path: str) -> Path:
    _root(workspace)
    return workspace.files.within(WORKSPACE, path.removeprefix("/Workspace") or "/")


def _existing(workspace: Workspace, path: str) -> Path:
    target = _locate(workspace, path)
    if not target.exists():
        raise not_found(f"Path ({path}) doesn't exist.")
    return target


def _shown(workspace: Workspace, path: Path) -> str:
    return f"/{path.relative_to(_root(workspace)).as_posix()}".removesuffix(".")


def _info(workspace: Workspace, path: Path) -> dict[str, Any]:
    stat = path.stat()
    kind = _kind(path)
    size = {"size": stat.st_size} if kind["object_type"] == "FILE" else {}
    return {
        **kind,
        **size,
        "path": _shown(workspace, path),
        "object_id": stat.st_ino,
        "resource_id": str(stat.st_ino),
        "modified_at": stat.st_mtime_ns // 1_000_000,
    }


def _kind(path: Path) -> dict[str, str]:
    if path.is_dir():
        return {"object_type": "DIRECTORY"}
    with path.open("rb") as file:
        is_notebook = file.read(len(_NOTEBOOK_HEADER)) == _NOTEBOOK_HEADER
    return {"object_type": "NOTEBOOK", "language": "PYTHON"} if is_notebook else {"object_type": "FILE"}
