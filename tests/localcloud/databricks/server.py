"""A real workspace server in a process of its own, and the wheel whose steps the tests run on it."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.compute import ClusterSpec, Library
from databricks.sdk.service.jobs import NotebookTask, PythonWheelTask, Run, RunOutput, SparkPythonTask, SubmitTask
from databricks.sdk.service.workspace import ImportFormat, Language

from localcloud import certificates
from localcloud.home import Home
from tests.localcloud.waiting import wait_until

STEPS = Path(__file__).with_name("steps.py")
WHEEL = "/Workspace/Shared/steps-1.0-py3-none-any.whl"
KEY = "c2VjcmV0K2tleS9vZithY2NvdW50=="
KEY_SETTING = "spark.hadoop.fs.azure.account.key.someaccount.dfs.core.windows.net"
CLUSTER = ClusterSpec(
    spark_version="17.3.x-scala2.13",
    node_type_id="Standard_DS3_v2",
    num_workers=0,
    spark_conf={KEY_SETTING: "{{secrets/bookstore/adls-account-key}}", "spark.sql.ansi.enabled": "true"},
    spark_env_vars={"GREETING": "hello", "PASSWORD": "{{secrets/bookstore/adls-account-key}}"},
)


@dataclass
class Server:
    """A workspace server that can be stopped, killed and started again on the same home."""

    home: Home
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.home.port('workspace')}"

    @property
    def token(self) -> str:
        return self.home.secret("databricks-token")

    @property
    def lake(self) -> Path:
        return self.home.root / "lake"

    @cached_property
    def client(self) -> WorkspaceClient:
        return WorkspaceClient(host=self.url, token=self.token)

    def http(self, *, token: str | None = None) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token or self.token}"}, timeout=60)

    def start(self) -> None:
        self.home.logs.mkdir(exist_ok=True)
        with (self.home.logs / "workspace.log").open("ab") as log:
            command = [sys.executable, "-m", "localcloud.databricks", "--home", str(self.home.root)]
            self.process = subprocess.Popen(
                [*command, "--cluster-memory", "1g", "--lake-root", f"file:{self.lake}"],
                env={**os.environ, **self.environment, "SERVER_ONLY": "not for tasks"},
                stdout=log,
                stderr=log,
            )
        wait_until(lambda: httpx.get(f"{self.url}/healthz").is_success, limit=60)

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(60)

    def prepare(self) -> None:
        """Uploads the steps' wheel and puts the storage key into its scope."""
        self.client.workspace.upload(WHEEL, make_wheel(), format=ImportFormat.AUTO, overwrite=True)
        self.put_storage_key()

    def put_storage_key(self) -> None:
        if "bookstore" not in [scope.name for scope in self.client.secrets.list_scopes()]:
            self.client.secrets.create_scope("bookstore")
        self.client.secrets.put_secret("bookstore", "adls-account-key", string_value=KEY)

    def submit(self, *tasks: SubmitTask, timeout_seconds: int | None = None) -> int:
        run_id = self.client.jobs.submit(run_name="test", tasks=list(tasks), timeout_seconds=timeout_seconds).run_id
        assert run_id is not None
        return run_id

    def ended(self, run_id: int, limit: float = 300) -> Run:
        wait_until(lambda: self.life_cycle_state(run_id) in ("TERMINATED", "INTERNAL_ERROR", "SKIPPED"), limit=limit)
        return self.client.jobs.get_run(run_id)

    def life_cycle_state(self, run_id: int) -> str:
        state = self.client.jobs.get_run(run_id).state
        assert state is not None
        assert state.life_cycle_state is not None
        return state.life_cycle_state.value

    def run(self, *tasks: SubmitTask, timeout_seconds: int | None = None) -> Run:
        return self.ended(self.submit(*tasks, timeout_seconds=timeout_seconds))

    def script(self, key: str, source: str, *parameters: str, **changes: object) -> SubmitTask:
        """A task that runs these lines of Python, which need no Spark."""
        path = f"/Shared/{key}.py"
        self.client.workspace.upload(path, source.encode(), format=ImportFormat.AUTO, overwrite=True)
        script = SparkPythonTask(python_file=f"/Workspace{path}", parameters=list(parameters))
        return changed(SubmitTask(task_key=key, spark_python_task=script, new_cluster=SMALL_CLUSTER), changes)

    def notebook(
        self, key: str, source: str, parameters: dict[str, str] | None = None, **changes: object
    ) -> SubmitTask:
        path = f"/Shared/{key}"
        self.client.workspace.upload(
            path, source.encode(), format=ImportFormat.SOURCE, language=Language.PYTHON, overwrite=True
        )
        notebook = NotebookTask(notebook_path=path, base_parameters=parameters)
        return changed(SubmitTask(task_key=key, notebook_task=notebook, new_cluster=SMALL_CLUSTER), changes)

    def logs(self, run: Run) -> dict[str, str]:
        """What the newest attempt at each task has printed, of tasks that run on clusters."""
        newest = {task.task_key: task for task in run.tasks or []}
        return {
            key: self.client.jobs.get_run_output(task.run_id or 0).logs or ""
            for key, task in newest.items()
            if task.cluster_instance
        }

    def outputs(self, run: Run) -> list[RunOutput]:
        return [self.client.jobs.get_run_output(task.run_id) for task in run.tasks or [] if task.run_id]

    def printed(self, run_id: int) -> str:
        """What the run's first task has written so far."""
        (task, *_) = self.client.jobs.get_run(run_id).tasks or []
        assert task.run_id is not None
        return self.client.jobs.get_run_output(task.run_id).logs or ""


def new_server(home: Home) -> Server:
    home.create()
    certificates.create(home)
    return Server(home)


@contextmanager
def prepared_server(folder: Path) -> Iterator[Server]:
    """A running workspace with the steps' wheel and the storage key in it."""
    server = new_server(Home(folder / "home"))
    server.start()
    try:
        server.prepare()
        yield server
    finally:
        server.stop()


def airflow_connection(server: Server) -> str:
    """A connection as `localcloud env` exports it."""
    port = server.home.port("workspace")
    settings = {"conn_type": "databricks", "schema": "http", "host": "127.0.0.1", "port": port}
    return json.dumps({**settings, "password": server.token})


class TaskInstance:
    """Which task it is, and where operators leave what they tell others."""

    dag_id, task_id, run_id, try_number, map_index = "a_dag", "a_task", "a_run", 1, -1

    def xcom_push(self, key: str, value: Any) -> None: ...

    def xcom_pull(self, task_ids: str) -> None: ...


def context() -> Any:
    """What Airflow would call an operator with."""
    return {"ti": TaskInstance()}


SMALL_CLUSTER = ClusterSpec(spark_version="17.3.x-scala2.13", num_workers=0)


def changed(task: SubmitTask, changes: dict[str, object]) -> SubmitTask:
    for name, value in changes.items():
        setattr(task, name, value)
    return task


def states(run: Run) -> list[tuple[str, str, str]]:
    """Task, life-cycle state and result state of each attempt."""
    found = []
    for task in run.tasks or []:
        assert task.state is not None
        assert task.state.life_cycle_state is not None
        assert task.state.result_state is not None
        found.append((task.task_key, task.state.life_cycle_state.value, task.state.result_state.value))
    return found


def results(run: Run) -> dict[str, str]:
    """How the newest attempt at each task ended."""
    return {key: result for key, _, result in states(run)}


def step(name: str, *parameters: str, **changes: object) -> SubmitTask:
    """A task that runs a step of the wheel on the tests' job cluster."""
    task = SubmitTask(
        task_key=name,
        python_wheel_task=PythonWheelTask(package_name="steps", entry_point=name, parameters=list(parameters)),
        libraries=[Library(whl=WHEEL)],
        new_cluster=CLUSTER,
    )
    return changed(task, changes)


def make_wheel() -> bytes:
    """`steps.py` as a wheel whose entry points are its public functions."""
    names = [line[4 : line.index("(")] for line in STEPS.read_text().splitlines() if re.match(r"def [a-z]", line)]
    entry_points = "\n".join(["[console_scripts]", *(f"{name} = steps:{name}" for name in names)])
    info = "steps-1.0.dist-info"
    files = {
        "steps.py": STEPS.read_text(),
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: steps\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": entry_points,
        f"{info}/RECORD": "",
    }
    return _zipped(files)


def _zipped(files: dict[str, str]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
