"""What clients other than the pinned ones send: each exchange as the client named in the test makes it."""

from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service import compute
from databricks.sdk.service.jobs import ConditionTask, ConditionTaskOp, Task
from databricks.sdk.service.workspace import ExportFormat, ObjectType

from localcloud.databricks.files import DBFS, FileTree
from localcloud.databricks.state import Cluster, State
from tests.localcloud.databricks.server import Server
from tests.localcloud.waiting import wait_until

LARGER_THAN_A_BLOCK = bytes(range(256)) * 8 * 1024


@pytest.mark.parametrize("kind", ["text/json", "application/x-www-form-urlencoded", None])
def test_a_body_is_json_whatever_its_header_says(light: Server, kind: str | None) -> None:
    """The legacy command line says text/json; curl, as in Databricks' own documentation, a form."""
    headers = {} if kind is None else {"content-type": kind}
    with light.http() as http:
        made = http.post("/api/2.0/dbfs/mkdirs", content=b'{"path": "/headers"}', headers=headers)
        refused = http.post("/api/2.0/dbfs/mkdirs", content=b"path=/headers", headers=headers)
    assert (made.status_code, made.json()) == (200, {})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "MALFORMED_REQUEST")


def test_the_root_of_an_empty_tree_is_there(tmp_path: Path) -> None:
    assert list(FileTree(tmp_path / "files").within(DBFS, "/").iterdir()) == []


@pytest.mark.parametrize("field", ["file", "contents"])
def test_dbfs_takes_a_file_of_a_form(light: Server, field: str) -> None:
    """`databricks fs cp` of the legacy command line calls it `file`, the documentation `contents`."""
    path = f"/forms/{field}.bin"
    with light.http() as http:
        file = {field: ("local.bin", LARGER_THAN_A_BLOCK, "multipart/form-data")}
        first, again = (http.post("/api/2.0/dbfs/put", data={"path": path}, files=file) for _ in range(2))
        empty = http.post("/api/2.0/dbfs/put", files={"path": (None, path)})
    with light.client.dbfs.download(path) as download:
        assert download.read() == LARGER_THAN_A_BLOCK
    assert (first.status_code, first.json()) == (200, {})
    assert (again.status_code, again.json()["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    assert empty.json()["message"] == "a multipart form needs the content as a file, found none"


def test_lists_go_on_by_offset(light: Server) -> None:
    """As `databricks jobs list --all` of the legacy command line does, which would never end without it."""
    jobs = light.client.jobs
    made = [jobs.create(name="offset", tasks=[_condition()]).job_id or 0 for _ in range(3)]
    runs = [jobs.run_now(job_id).bind()["run_id"] for job_id in made]
    with light.http() as http:
        listed = http.get("/api/2.1/jobs/list", params={"name": "offset", "offset": 2}).json()
        ran = http.get("/api/2.1/jobs/runs/list", params={"limit": 1, "offset": 2}).json()
    assert ([job["job_id"] for job in listed["jobs"]], listed["has_more"]) == (made[:1], False)
    assert [run["run_id"] for run in ran["runs"]] == runs[:1]


def test_clients_find_a_runtime_and_a_node_type(light: Server) -> None:
    """As databricks-sdk's examples do before they create a cluster."""
    clusters = light.client.clusters
    assert clusters.select_spark_version(long_term_support=True) == "16.4.x-scala2.12"
    assert clusters.select_spark_version(scala="2.13", spark_version="4") == "18.0.x-scala2.13"
    assert clusters.select_node_type(local_disk=True, min_gpus=0) in ("Standard_DS3_v2", "Standard_D4ds_v5")


def test_a_cluster_that_starts_is_never_terminated_on_the_way(light: Server) -> None:
    """databricks-sdk gives up waiting where it sees it so, as 0.20 did at times."""
    clusters = light.client.clusters
    cluster_id = clusters.create(spark_version="17.3.x-scala2.13", num_workers=0).bind()["cluster_id"]
    wait_until(lambda: clusters.get(cluster_id).state == compute.State.RUNNING, limit=60)
    clusters.restart(cluster_id)
    wait_until(lambda: clusters.get(cluster_id).state == compute.State.RUNNING, limit=60)
    row = State(light.home.workspace / "workspace.db").get(Cluster, cluster_id)
    assert row is not None
    assert (row.state, row.terminated_time) == ("RUNNING", 0)
    clusters.permanent_delete(cluster_id)


def test_the_id_of_the_workspace_is_in_a_header(light: Server) -> None:
    """Where databricks-sdk looked for it until it had discovery."""
    with light.http() as http:
        answer = http.get("/api/2.0/preview/scim/v2/Me")
    assert answer.headers["X-Databricks-Org-Id"] == str(light.client.get_workspace_id())


def test_a_large_file_comes_in_one_piece(light: Server, tmp_path: Path) -> None:
    """databricks-sdk begins a large file as parts, and goes over to one piece where nobody signs their URLs."""
    config = Config(host=light.url, token=light.token)
    config.files_ext_multipart_upload_min_stream_size = config.files_ext_parallel_download_min_file_size = 1024
    files = WorkspaceClient(config=config).files
    source, target, path = tmp_path / "source", tmp_path / "target", "/Volumes/main/default/large/data.bin"
    source.write_bytes(LARGER_THAN_A_BLOCK)
    for use_parallel in (True, False):
        files.upload_from(path, str(source), overwrite=True, use_parallel=use_parallel)
        files.download_to(path, str(target), overwrite=True, use_parallel=use_parallel)
        assert target.read_bytes() == LARGER_THAN_A_BLOCK


def test_a_bundle_sends_its_files_as_they_are(light: Server) -> None:
    """As `databricks bundle deploy` does: folders are made when a file's is missing, the path's slashes are escaped."""
    route = "/api/2.0/workspace-files/import-file/Workspace%2FUsers%2Flocalcloud%2Fbundle%2F"
    with light.http() as http:
        missing = http.post(f"{route}data.json", content=b"{")
        light.client.workspace.mkdirs("/Users/localcloud/bundle")
        sent = http.post(f"{route}data.json", params={"overwrite": "false"}, content=b"{")
        again = http.post(f"{route}data.json", params={"overwrite": "false"}, content=b"{}")
        over = http.post(f"{route}data.json", params={"overwrite": "true"}, content=b"{}")
        notebook = [http.post(f"{route}nb.py", content=b"# Databricks notebook source\n") for _ in range(2)]
    assert [missing.status_code, sent.status_code, again.status_code, over.status_code] == [404, 200, 409, 200]
    assert [answer.status_code for answer in notebook] == [200, 400]
    assert "already exists." in notebook[1].json()["message"]
    with light.client.workspace.download("/Users/localcloud/bundle/data.json") as download:
        assert download.read() == b"{}"
    assert light.client.workspace.get_status("/Users/localcloud/bundle/nb").object_type == ObjectType.NOTEBOOK


def test_a_folder_that_is_not_empty_is_refused_in_the_words_that_clients_know(light: Server) -> None:
    """As the command line's `fs rm` and its bundles tell it from other refusals."""
    light.client.dbfs.mkdirs("/full/inner")
    light.client.workspace.mkdirs("/Shared/full/inner")
    light.client.files.create_directory("/Volumes/main/full/inner")
    with light.http() as http:
        dbfs = http.post("/api/2.0/dbfs/delete", json={"path": "/full"}).json()
        workspace = http.post("/api/2.0/workspace/delete", json={"path": "/Shared/full"}).json()
    assert dbfs["error_code"] == "IO_ERROR"
    assert dbfs["message"].endswith("Directory is not empty. Use recursive delete or remove contents first.")
    assert workspace["error_code"] == "DIRECTORY_NOT_EMPTY"
    with pytest.raises(DatabricksError, match="not empty") as volumes:
        light.client.files.delete_directory("/Volumes/main/full")
    assert [info.reason for info in volumes.value.get_error_info()] == ["FILES_API_DIRECTORY_IS_NOT_EMPTY"]


@pytest.mark.parametrize("form", [ExportFormat.HTML, ExportFormat.JUPYTER, ExportFormat.DBC])
def test_a_notebook_is_not_given_out_under_the_name_of_another_format(light: Server, form: ExportFormat) -> None:
    with pytest.raises(InvalidParameterValue, match=f"format must be one of .*, found {form.value}"):
        light.client.workspace.export("/Shared", format=form)


def _condition() -> Task:
    """A task that needs no cluster."""
    return Task(task_key="only", condition_task=ConditionTask(ConditionTaskOp.EQUAL_TO, left="1", right="1"))
