"""Python notebooks in source format: kept, listed, exported and run."""

import base64

import pytest
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.compute import Library
from databricks.sdk.service.jobs import TaskDependency
from databricks.sdk.service.workspace import ExportFormat, ImportFormat, Language, ObjectType

from tests.localcloud.databricks.server import CLUSTER, WHEEL, Server, results

CELLS = """\
# MAGIC %md
# MAGIC # What it does
# COMMAND ----------
greeting = f"hello {dbutils.widgets.get('name')}"
# COMMAND ----------
# MAGIC %run ./helpers
# COMMAND ----------
print(twice(greeting))
dbutils.notebook.exit("done")
print("never")
"""


def test_a_notebook_is_kept_without_a_suffix_and_with_its_header(light: Server) -> None:
    workspace = light.client.workspace
    workspace.upload("/Shared/kept.py", b"print(1)\n", format=ImportFormat.SOURCE, language=Language.PYTHON)
    status = workspace.get_status("/Shared/kept")
    assert (status.object_type, status.language, status.path) == (ObjectType.NOTEBOOK, Language.PYTHON, "/Shared/kept")
    exported = workspace.export("/Shared/kept", format=ExportFormat.SOURCE).content or ""
    assert base64.b64decode(exported) == b"# Databricks notebook source\nprint(1)\n"
    workspace.upload("/Shared/recognised.py", base64.b64decode(exported), format=ImportFormat.AUTO)
    assert workspace.get_status("/Shared/recognised").object_type == ObjectType.NOTEBOOK


def test_a_notebook_in_another_language_is_refused(light: Server) -> None:
    with pytest.raises(DatabricksError, match="notebooks must be in PYTHON locally, found SQL"):
        light.client.workspace.upload("/Shared/query", b"SELECT 1", format=ImportFormat.SOURCE, language=Language.SQL)


def test_a_notebook_runs_its_cells_and_leaves_a_result(light: Server) -> None:
    light.notebook("helpers", "def twice(text):\n    return text * 2\n")
    run = light.run(light.notebook("cells", CELLS, {"name": "Ada"}))
    assert results(run) == {"cells": "SUCCESS"}
    (output,) = light.outputs(run)
    assert output.logs == "hello Adahello Ada\n"
    assert output.notebook_output is not None
    assert (output.notebook_output.result, output.notebook_output.truncated) == ("done", False)


def test_a_failing_notebook_tells_the_line(light: Server) -> None:
    run = light.run(light.notebook("fails", "print(1)\n# COMMAND ----------\n\nraise ValueError('no')\n"))
    (output,) = light.outputs(run)
    assert output.error == "ValueError: no"
    # Its header is line 1.
    assert 'Shared/fails", line 5, in <module>\n    raise ValueError' in (output.error_trace or "")


def test_a_notebook_reads_secrets_and_leaves_task_values(light: Server) -> None:
    light.client.secrets.create_scope("notebooks")
    light.client.secrets.put_secret("notebooks", "key", string_value="very-private")
    source = (
        "value = dbutils.secrets.get('notebooks', 'key')\nprint(value)\ndbutils.jobs.taskValues.set('size', len(value))"
    )
    read = light.script("read", "import sys; print(sys.argv[1])", "{{tasks.secret.values.size}}")
    read.depends_on = [TaskDependency("secret")]
    assert light.logs(light.run(light.notebook("secret", source), read)) == {"secret": "[REDACTED]\n", "read": "12\n"}


SQL_CELLS = """\
# MAGIC %sql
# MAGIC SELECT 9 AS n
# COMMAND ----------
print(_sqldf.collect()[0].n, spark.range(3).count())
"""


def test_cells_of_sql_run_on_the_cluster(workspace: Server) -> None:
    task = workspace.notebook("sql_cells", SQL_CELLS, new_cluster=CLUSTER, libraries=[Library(whl=WHEEL)])
    run = workspace.run(task)
    assert workspace.logs(run)["sql_cells"].splitlines()[-1] == "9 3"


def test_a_magic_command_that_needs_more_is_refused(light: Server) -> None:
    (output,) = light.outputs(light.run(light.notebook("scala", "# MAGIC %scala\n# MAGIC val x = 1\n")))
    assert output.error == "dbruntime.notebook.NotebookError: %scala can't be run locally; %sql, %run and %md can"


def test_a_notebook_that_is_not_there_keeps_the_task_from_starting(light: Server) -> None:
    task = light.notebook("there", "print(1)")
    light.client.workspace.delete("/Shared/there")
    run = light.run(task)
    assert [(task.state.state_message if task.state else "") for task in run.tasks or []] == [
        "no file at /Shared/there: upload it first"
    ]
