"""Workspace files, volumes and DBFS, through databricks-sdk."""

import base64
import io

import pytest
from databricks.sdk.errors import NotFound
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.workspace import ImportFormat, ObjectType

from tests.localcloud.databricks.server import Server

CONTENT = bytes(range(256)) * 10


def test_workspace_file_is_kept_as_it_came(workspace: Server) -> None:
    files = workspace.client.workspace
    files.mkdirs("/Shared/folder")
    files.upload("/Workspace/Shared/folder/data.bin", CONTENT, format=ImportFormat.AUTO)
    with files.download("/Shared/folder/data.bin") as download:
        assert download.read() == CONTENT
    status = files.get_status("/Shared/folder/data.bin")
    assert (status.object_type, status.path, status.size) == (ObjectType.FILE, "/Shared/folder/data.bin", 2560)
    assert [found.path for found in files.list("/Shared/folder")] == ["/Shared/folder/data.bin"]


def test_workspace_file_is_replaced_only_when_asked(workspace: Server) -> None:
    files = workspace.client.workspace
    files.upload("/Shared/once.txt", b"first", format=ImportFormat.AUTO)
    with pytest.raises(DatabricksError, match="already exists"):
        files.upload("/Shared/once.txt", b"second", format=ImportFormat.AUTO)
    files.upload("/Shared/once.txt", b"second", format=ImportFormat.AUTO, overwrite=True)
    with files.download("/Shared/once.txt") as download:
        assert download.read() == b"second"


def test_workspace_folder_must_be_there_and_is_deleted_with_what_it_holds(workspace: Server) -> None:
    files = workspace.client.workspace
    with pytest.raises(NotFound, match=r"The parent folder \(/Shared/nowhere\) does not exist"):
        files.upload("/Shared/nowhere/x", b"", format=ImportFormat.AUTO)
    files.mkdirs("/Shared/gone/deep")
    with pytest.raises(DatabricksError, match="not empty"):
        files.delete("/Shared/gone")
    files.delete("/Shared/gone", recursive=True)
    with pytest.raises(NotFound):
        files.get_status("/Shared/gone")


def test_volume_file_and_folder(workspace: Server) -> None:
    files = workspace.client.files
    files.upload("/Volumes/main/default/wheels/data.bin", io.BytesIO(CONTENT), overwrite=True)
    download = files.download("/Volumes/main/default/wheels/data.bin")
    assert download.contents is not None
    assert download.contents.read() == CONTENT
    assert files.get_metadata("/Volumes/main/default/wheels/data.bin").content_length == 2560
    (entry,) = files.list_directory_contents("/Volumes/main/default/wheels")
    assert (entry.path, entry.file_size) == ("/Volumes/main/default/wheels/data.bin", 2560)
    files.delete("/Volumes/main/default/wheels/data.bin")
    files.delete_directory("/Volumes/main/default/wheels")
    with pytest.raises(NotFound):
        files.get_directory_metadata("/Volumes/main/default/wheels")


def test_dbfs_file_in_blocks(workspace: Server) -> None:
    dbfs = workspace.client.dbfs
    dbfs.upload("/folder/data.bin", io.BytesIO(CONTENT))
    with dbfs.download("/folder/data.bin") as download:
        assert download.read() == CONTENT
    with pytest.raises(DatabricksError, match="already exists"):
        dbfs.upload("/folder/data.bin", io.BytesIO(CONTENT))
    assert [found.path for found in dbfs.list("/folder")] == ["/folder/data.bin"]
    dbfs.delete("/folder", recursive=True)
    with pytest.raises(NotFound):
        dbfs.get_status("/folder")


def test_dbfs_file_at_once(workspace: Server) -> None:
    dbfs = workspace.client.dbfs
    dbfs.mkdirs("/at/once")
    dbfs.put("/at/once/a.txt", contents=base64.b64encode(b"content").decode())
    dbfs.move("dbfs:/at/once/a.txt", "/at/b.txt")
    read = dbfs.read("/at/b.txt", offset=3)
    assert (read.bytes_read, base64.b64decode(read.data or "")) == (4, b"tent")
    assert [(found.path, found.is_dir) for found in dbfs.list("/at")] == [("/at/b.txt", False), ("/at/once", True)]
