"""Which task may go, which may be tried again, and what the whole run comes to: as on Databricks."""

from collections.abc import Callable, Iterable, Mapping

from localcloud.databricks.engine.endings import EXCLUDED, SKIPPED, SUCCESS, Ending
from localcloud.databricks.payloads.tasks import ConditionTask, Task

_ENDLESS = -1
_FAILED = {"FAILED", "TIMEDOUT", "CANCELED", "UPSTREAM_FAILED"}
_RUN_IF: dict[str, Callable[[list[str]], bool]] = {
    "ALL_SUCCESS": lambda results: all(result == "SUCCESS" for result in results),
    "ALL_DONE": lambda _: True,
    "NONE_FAILED": lambda results: not _FAILED & set(results) and "SUCCESS" in results,
    "AT_LEAST_ONE_SUCCESS": lambda results: "SUCCESS" in results,
    "ALL_FAILED": lambda results: all(result in _FAILED for result in results),
    "AT_LEAST_ONE_FAILED": lambda results: bool(_FAILED & set(results)),
}
_AS_TEXT: dict[str, Callable[[str, str], bool]] = {
    "EQUAL_TO": lambda left, right: left == right,
    "NOT_EQUAL": lambda left, right: left != right,
}
_AS_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "GREATER_THAN": lambda left, right: left > right,
    "GREATER_THAN_OR_EQUAL": lambda left, right: left >= right,
    "LESS_THAN": lambda left, right: left < right,
    "LESS_THAN_OR_EQUAL": lambda left, right: left <= right,
}


def refusal(task: Task, upstream: Mapping[str, Ending]) -> Ending | None:
    """How a task ends that the tasks it depends on keep from running; None if it may run."""
    endings = [(each, upstream[each.task_key]) for each in task.depends_on]
    if any(each.outcome not in (None, ending.outcome) for each, ending in endings if ending.is_success):
        return EXCLUDED
    results = [ending.result_state for _, ending in endings]
    if not results or _RUN_IF[task.run_if](results):
        return None
    if task.run_if in ("ALL_SUCCESS", "NONE_FAILED"):
        # A branch that wasn't taken is no failure, and neither is what comes after it.
        return SKIPPED if _FAILED & set(results) else EXCLUDED
    return EXCLUDED


def holds(condition: ConditionTask) -> bool:
    """Whether the condition is true.

    Raises:
        ValueError: It compares numbers, and one of the two is none.
    """
    if condition.op in _AS_TEXT:
        return _AS_TEXT[condition.op](condition.left, condition.right)
    return _AS_NUMBERS[condition.op](float(condition.left), float(condition.right))


def may_retry(ending: Ending, task: Task, attempt_number: int) -> bool:
    if ending.result_state in ("SUCCESS", "CANCELED"):
        return False
    if ending.result_state == "TIMEDOUT" and not task.retry_on_timeout:
        return False
    return task.max_retries == _ENDLESS or attempt_number < task.max_retries


def overall(tasks: Iterable[Task], endings: Mapping[str, Ending]) -> Ending:
    """The tasks that none depends on decide, and failures before them are mentioned."""
    needed = {key for task in tasks for key in task.upstream}
    failures = {key: ending for key, ending in endings.items() if ending.result_state in _FAILED}
    if not failures:
        return SUCCESS
    if not failures.keys() - needed:
        return Ending("SUCCESS_WITH_FAILURES", "SUCCESS_WITH_FAILURES")
    key, first = next(iter(failures.items()))
    message = f"Task {key} failed with message: {first.message}"
    state = "INTERNAL_ERROR" if first.life_cycle_state == "INTERNAL_ERROR" else "TERMINATED"
    return Ending("FAILED", first.code, state, message=message)
