"""`dbutils`: task values, widgets, secrets and a notebook's result. What else Databricks has is refused by name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LARGEST_VALUE = 48 * 1024
_LARGEST_RESULT = 5 * 1024 * 1024


class NotebookExit(BaseException):
    """Raised to end a notebook early, with a result."""


@dataclass(frozen=True)
class TaskValues:
    """Small values that a task leaves for later ones of its run."""

    file: Path
    earlier: Mapping[str, Mapping[str, Any]]

    def set(self, key: str, value: Any) -> None:
        size = len(json.dumps(value).encode())
        if size > _LARGEST_VALUE:
            raise ValueError(f"a task value has at most {_LARGEST_VALUE} bytes of JSON, and {key} has {size}")
        own = json.loads(self.file.read_text()) if self.file.exists() else {}
        scratch = self.file.with_suffix(".partial")
        scratch.write_text(json.dumps({**own, key: value}))
        scratch.replace(self.file)

    def get(self, taskKey: str, key: str, default: Any = None, debugValue: Any = None) -> Any:  # noqa: N803, ARG002
        """What an earlier task has set; `debugValue` is for code outside of runs."""
        found = self.earlier.get(taskKey, {}).get(key, default)
        if found is None:
            raise ValueError(f"the task {taskKey} has set no value {key!r}, and no default was given")
        return found


@dataclass(frozen=True)
class Jobs:
    taskValues: TaskValues  # noqa: N815 - Databricks' name


@dataclass(frozen=True)
class Widgets:
    """A notebook's parameters; defaults for those that weren't given."""

    values: dict[str, str]

    def text(self, name: str, defaultValue: str, label: str | None = None) -> None:  # noqa: N803, ARG002
        self.values.setdefault(name, defaultValue)

    def dropdown(self, name: str, defaultValue: str, choices: list[str], label: str | None = None) -> None:  # noqa: N803, ARG002
        self.values.setdefault(name, defaultValue)

    combobox = dropdown

    def get(self, name: str) -> str:
        if name not in self.values:
            raise ValueError(f"No input widget named {name} is defined")
        return self.values[name]

    def getAll(self) -> dict[str, str]:  # noqa: N802 - Databricks' name
        return dict(self.values)


@dataclass(frozen=True)
class Secrets:
    folder: Path

    def get(self, scope: str, key: str) -> str:
        path = self.folder / scope / key
        if not path.is_file() or path.parent.parent != self.folder:
            raise ValueError(f"Secret does not exist with scope: {scope} and key: {key}")
        return path.read_text()


@dataclass(frozen=True)
class Notebook:
    result: Path

    def exit(self, value: str) -> None:
        self.result.write_text(str(value)[:_LARGEST_RESULT])
        raise NotebookExit(value)


@dataclass(frozen=True)
class DBUtils:
    """A task's `dbutils`."""

    jobs: Jobs
    widgets: Widgets
    secrets: Secrets
    notebook: Notebook

    @staticmethod
    def of_task(folder: Path, task: Mapping[str, Any]) -> "DBUtils":
        return DBUtils(
            Jobs(TaskValues(folder / "task_values.json", task["values"])),
            Widgets(dict(task.get("widgets", {}))),
            Secrets(Path(task["secrets"])),
            Notebook(folder / "notebook_result"),
        )

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"dbutils.{name} is not there locally; jobs, widgets, secrets and notebook are")
