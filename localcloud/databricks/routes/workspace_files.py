"""Workspace files and Python notebooks in source format: `workspace/*`."""

import base64
import shutil
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from localcloud.databricks.errors import already_exists, invalid_parameter, not_found
from localcloud.databricks.files import WORKSPACE
from localcloud.databricks.routes.common import Current
from localcloud.databricks.workspace import Workspace

router = APIRouter(prefix="/api/2.0/workspace")
_FORMATS = ("AUTO", "RAW", "SOURCE")
_NOTEBOOK_HEADER = b"# Databricks notebook source"
_TOP_FOLDERS = ("Shared", "Users")


class ObjectPath(BaseModel):
    path: str
    recursive: bool = False


@router.post("/import")
async def import_file(request: Request, workspace: Current) -> dict[str, Any]:
    fields, content = await _import_fields(request)
    path, content = _as_stored(fields, content)
    target = _locate(workspace, path)
    if not target.parent.is_dir():
        raise not_found(f"The parent folder ({_shown(workspace, target.parent)}) does not exist.")
    if target.is_dir():
        raise already_exists(f"{_shown(workspace, target)} is a folder")
    if target.exists() and str(fields.get("overwrite", "false")).lower() != "true":
        raise already_exists(f"{_shown(workspace, target)} already exists. Please pass overwrite=true to update it.")
    target.write_bytes(content)
    return {}


@router.get("/export")
def export(workspace: Current, path: str, direct_download: bool = False) -> Response:
    target = _existing(workspace, path)
    if target.is_dir():
        raise invalid_parameter(f"{path} is a folder, and only files and notebooks can be exported")
    content = target.read_bytes()
    if direct_download:
        return Response(content, media_type="application/octet-stream")
    encoded = base64.b64encode(content).decode()
    return Response(f'{{"content": "{encoded}"}}', media_type="application/json")


@router.get("/get-status")
def get_status(workspace: Current, path: str) -> dict[str, Any]:
    return _info(workspace, _existing(workspace, path))


@router.get("/list")
def list_folder(workspace: Current, path: str) -> dict[str, Any]:
    folder = _existing(workspace, path)
    found = sorted(folder.iterdir()) if folder.is_dir() else [folder]
    return {"objects": [_info(workspace, each) for each in found]}


@router.post("/mkdirs")
def mkdirs(payload: ObjectPath, workspace: Current) -> dict[str, Any]:
    target = _locate(workspace, payload.path)
    if target.is_file():
        raise already_exists(f"{payload.path} is a file")
    target.mkdir(parents=True, exist_ok=True)
    return {}


@router.post("/delete")
def delete(payload: ObjectPath, workspace: Current) -> dict[str, Any]:
    target = _existing(workspace, payload.path)
    if target == _root(workspace):
        raise invalid_parameter("the workspace's root can't be deleted")
    if target.is_file():
        target.unlink()
    elif payload.recursive or not any(target.iterdir()):
        shutil.rmtree(target)
    else:
        raise invalid_parameter(f"Folder {payload.path} is not empty: pass recursive=true")
    return {}


def _as_stored(fields: dict[str, Any], content: bytes) -> tuple[str, bytes]:
    """Where the content goes, and what of it: a notebook begins with its header, and its name has no suffix."""
    path, form = str(fields.get("path", "")), str(fields.get("format", "SOURCE"))
    if form not in _FORMATS:
        raise invalid_parameter(f"format must be one of {', '.join(_FORMATS)} locally, found {form}")
    is_source = form == "SOURCE" or (form == "AUTO" and content.startswith(_NOTEBOOK_HEADER))
    if not is_source:
        return path, content
    if str(fields.get("language", "PYTHON")) != "PYTHON":
        raise invalid_parameter(f"notebooks must be in PYTHON locally, found {fields['language']}")
    if content.startswith(_NOTEBOOK_HEADER):
        return path.removesuffix(".py"), content
    return path.removesuffix(".py"), _NOTEBOOK_HEADER + b"\n" + content


async def _import_fields(request: Request) -> tuple[dict[str, Any], bytes]:
    if request.headers.get("content-type", "").startswith("multipart/"):
        form = await request.form()
        upload = form.get("content")
        if not isinstance(upload, UploadFile):
            raise invalid_parameter("the multipart field content is required")
        return dict(form), await upload.read()
    try:
        body = await request.json()
        return dict(body), base64.b64decode(body.get("content", ""), validate=True)
    except (ValueError, TypeError, AttributeError):
        raise invalid_parameter("a JSON object with its content in base64 is required") from None


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
