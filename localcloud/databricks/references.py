"""Dynamic value references: `{{job.run_id}}`, `{{tasks.a.values.b}}` and the others that Databricks documents.

What is no reference in form, or is in no known namespace, stays as it is: as text, or for the cluster's secrets.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

_NAME = r"(?:\w+|`[^`{}]+`)"
_REFERENCE = re.compile(rf"\{{\{{\s*({_NAME}(?:\.{_NAME})*)\s*\}}\}}")
_PART = re.compile(r"`([^`]+)`|(\w+)")

_ANY: Final = "*"
Shape = Mapping[str, Any]

_TIMES: dict[str, Callable[[datetime], str]] = {
    "iso_weekday": lambda moment: str(moment.isoweekday()),
    "is_weekday": lambda moment: str(moment.isoweekday() <= 5).lower(),  # noqa: PLR2004 - Friday
    "iso_date": lambda moment: moment.date().isoformat(),
    "iso_datetime": lambda moment: moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    "year": lambda moment: str(moment.year),
    "month": lambda moment: str(moment.month),
    "day": lambda moment: str(moment.day),
    "hour": lambda moment: str(moment.hour),
    "minute": lambda moment: str(moment.minute),
    "second": lambda moment: str(moment.second),
    "timestamp_ms": lambda moment: str(round(moment.timestamp() * 1000)),
}
_MOMENT: Shape = dict.fromkeys(_TIMES)
_OF_TASK: Shape = dict.fromkeys(("run_id", "result_state", "execution_count", "notebook_path"))

# What there is to refer to; None: a value, which may have parts of its own.
_SHAPE: Shape = {
    "job": {
        "id": None, "name": None, "run_id": None, "repair_count": None, "start_time": _MOMENT,
        "trigger": {"type": None, "time": _MOMENT}, "parameters": {_ANY: None},
    },
    "task": {"name": None, "run_id": None, "execution_count": None, "notebook_path": None},
    "tasks": {_ANY: {**_OF_TASK, "values": {_ANY: None}}},
    "workspace": {"id": None, "url": None},
    "input": None,
    # The older names, which take no parts.
    **dict.fromkeys(("job_id", "run_id", "start_date", "start_time", "task_key", "task_retry_count", "parent_run_id")),
}  # fmt: skip


class UnresolvedReferenceError(Exception):
    """Raised when a reference in a known namespace has no value; says which."""


def moments(milliseconds: int) -> dict[str, str]:
    """Every form in which a time may be referred to, in UTC."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return {name: form(moment) for name, form in _TIMES.items()}


def check_references(value: Any) -> None:
    """Refuses references in a known namespace to what isn't there, e.g. `{{job.naem}}`.

    Raises:
        ValueError: There is one.
    """
    if isinstance(value, str):
        for found in _REFERENCE.finditer(value):
            _check(found[0], _parts(found[1]))
        return
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        check_references(child)


def resolve(value: Any, values: Mapping[str, Any]) -> Any:
    """The value with every reference in its texts replaced.

    Args:
        value: A text, or a list or an object with texts in it.
        values: What may be referred to, by namespace.

    Raises:
        UnresolvedReferenceError: A reference has no value.
    """
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: _replacement(found, values), value)
    if isinstance(value, dict):
        return {name: resolve(child, values) for name, child in value.items()}
    return [resolve(child, values) for child in value] if isinstance(value, list) else value


def _parts(path: str) -> list[str]:
    return [escaped or plain for escaped, plain in _PART.findall(path)]


def _check(reference: str, parts: list[str]) -> None:
    shape: Any = _SHAPE
    if parts[0] not in shape:
        return
    for part in parts:
        if shape is None:  # parts of a value, which only the run will know
            return
        if part not in shape and _ANY not in shape:
            raise ValueError(f"the reference {reference} is invalid: there is no {part!r}, only {', '.join(shape)}")
        shape = shape.get(part, shape.get(_ANY))
    if shape is not None:
        raise ValueError(f"the reference {reference} is incomplete: one of {', '.join(shape)} must follow")


def _replacement(found: re.Match[str], values: Mapping[str, Any]) -> str:
    parts = _parts(found[1])
    if parts[0] not in _SHAPE:
        return found[0]
    value: Any = values
    for part in parts:
        if not isinstance(value, Mapping) or part not in value:
            raise UnresolvedReferenceError(f"The value referenced by {found[0]} was not found")
        value = value[part]
    return value if isinstance(value, str) else json.dumps(value)
