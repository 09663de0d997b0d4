"""The picture of a run: which task waits for which, from left to right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from localcloud.databricks.state import Run

_WIDTH, _HEIGHT = 170, 34
_GAP_X, _GAP_Y = 50, 16
_LETTERS = 21


@dataclass(frozen=True)
class Node:
    """A task's last attempt, and where it is drawn; lengths are pixels."""

    task: Run
    label: str
    x: int
    y: int
    width: int = _WIDTH
    height: int = _HEIGHT


@dataclass(frozen=True)
class Edge:
    """A line from the right of a task to the left of one that waits for it."""

    start: tuple[int, int]
    end: tuple[int, int]

    @property
    def path(self) -> str:
        (x, y), (to_x, to_y) = self.start, self.end
        middle = (x + to_x) // 2
        return f"M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}"


@dataclass(frozen=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: int
    height: int


def draw(attempts: Sequence[Run]) -> Graph | None:
    """The graph of a run's tasks; None of a single one, about which it would say nothing.

    Args:
        attempts: In the order in which they began: of each task the last one counts.
    """
    tasks = {str(attempt.task_key): attempt for attempt in attempts}
    if len(tasks) < 2:  # noqa: PLR2004 - said in the docstring
        return None
    waits_for = {key: _waits_for(task, tasks) for key, task in tasks.items()}
    columns = _columns(waits_for)
    nodes = {
        key: Node(tasks[key], _shortened(key), column * (_WIDTH + _GAP_X), row * (_HEIGHT + _GAP_Y))
        for column, keys in enumerate(columns)
        for row, key in enumerate(keys)
    }
    edges = [_edge(nodes[one], nodes[other]) for other, others in waits_for.items() for one in others]
    width = len(columns) * (_WIDTH + _GAP_X) - _GAP_X
    height = max(map(len, columns)) * (_HEIGHT + _GAP_Y) - _GAP_Y
    return Graph(tuple(nodes.values()), tuple(edges), width, height)


def _waits_for(task: Run, tasks: Mapping[str, Run]) -> list[str]:
    """Those that are there: a run repaired in part has begun some tasks only."""
    told = (other["task_key"] for other in task.settings.get("depends_on") or [])
    return [key for key in told if key in tasks]


def _columns(waits_for: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Each task stands one column after the last of those that it waits for."""
    columns: list[list[str]] = []
    left = dict(waits_for)
    while left:
        ready = [key for key, others in left.items() if not left.keys() & set(others)]
        columns.append(ready)
        for key in ready:
            del left[key]
    return columns


def _edge(one: Node, other: Node) -> Edge:
    middle = _HEIGHT // 2
    return Edge((one.x + _WIDTH, one.y + middle), (other.x, other.y + middle))


def _shortened(key: str) -> str:
    return key if len(key) <= _LETTERS else f"{key[: _LETTERS - 1]}\N{HORIZONTAL ELLIPSIS}"
