"""Repairs: tasks of an ended run that are run again as part of it, and the history of that."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from localcloud.databricks.engine.endings import Ending
from localcloud.databricks.engine.task_rows import ending_of, task_row
from localcloud.databricks.errors import invalid_parameter
from localcloud.databricks.payloads.runs import Repair as RepairPayload
from localcloud.databricks.payloads.tasks import Task
from localcloud.databricks.state import Repair, Run, State, now

_SNAPSHOT = ("life_cycle_state", "result_state", "state_message", "termination_code", "end_time")


@dataclass(frozen=True)
class Repairs:
    """The repairs of one run."""

    state: State
    run: Run

    def history(self) -> list[Repair]:
        """The original run and its repairs, as each of them ended; the last one as the run is now."""
        found = self.state.find(select(Repair).where(Repair.run_id == self.run.run_id).order_by(Repair.repair_id))
        last = (
            found.pop() if found else Repair(run_id=self.run.run_id, is_original=True, start_time=self.run.start_time)
        )
        for name in _SNAPSHOT:
            setattr(last, name, getattr(self.run, name))
        return [*found, last]

    def check_latest(self, given: int | None) -> None:
        """Refuses a repair by somebody who doesn't know of the last one."""
        last = self.history()[-1]
        if last.is_original:
            return
        if given is None:
            raise invalid_parameter("The latest repair ID needs to be provided in order to create a new repair")
        if given != last.repair_id:
            raise invalid_parameter(
                f"latest_repair_id must be that of the latest repair, {last.repair_id}; found {given}"
            )

    def begin(
        self, payload: RepairPayload, tasks: list[Task], settings: dict[str, Any]
    ) -> tuple[int, dict[str, Run], dict[str, Ending]]:
        """Makes the run active again; returns the repair's id, each task's newest attempt, and the ends that stay."""
        history = self.history()
        before = self._latest_attempts()
        chosen = _chosen(payload, tasks, before)
        repair = Repair(run_id=self.run.run_id, is_original=False, start_time=now(), life_cycle_state="PENDING")
        with self.state.transaction() as session:
            session.merge(history[-1])
            session.add(repair)
            session.flush()
            self._reopen(settings, repairs=len(history))
            session.merge(self.run)
            again = {
                task.task_key: self._attempt(task, before, repair.repair_id)
                for task in tasks
                if task.task_key in chosen
            }
            session.add_all(again.values())
        kept = {key: ending_of(row) for key, row in before.items() if key not in chosen}
        return repair.repair_id, before | again, kept

    def _latest_attempts(self) -> dict[str, Run]:
        attempts = self.state.find(select(Run).where(Run.parent_run_id == self.run.run_id).order_by(Run.run_id))
        return {row.task_key or "": row for row in attempts}

    def _attempt(self, task: Task, before: dict[str, Run], repair_id: int) -> Run:
        number = before[task.task_key].attempt_number + 1 if task.task_key in before else 0
        row = task_row(self.run, task, number)
        row.repair_id = repair_id
        return row

    def _reopen(self, settings: dict[str, Any], repairs: int) -> None:
        self.run.settings = settings | {"repair_count": repairs}
        self.run.life_cycle_state, self.run.result_state, self.run.termination_code = "PENDING", None, None
        self.run.state_message, self.run.end_time = "", 0


def _chosen(payload: RepairPayload, tasks: list[Task], before: dict[str, Run]) -> set[str]:
    """The tasks to run again."""
    known = {task.task_key for task in tasks}
    if payload.rerun_all_failed_tasks:
        return {key for key in known if key not in before or before[key].result_state != "SUCCESS"}
    unknown = sorted(set(payload.rerun_tasks) - known)
    if unknown:
        raise invalid_parameter(f"rerun_tasks names {unknown[0]}, which is no task of this run")
    chosen = set(payload.rerun_tasks) | (known - before.keys())
    return _with_dependents(chosen, tasks) if payload.rerun_dependent_tasks else chosen


def _with_dependents(chosen: set[str], tasks: Iterable[Task]) -> set[str]:
    more = {task.task_key for task in tasks if chosen & set(task.upstream)} - chosen
    return _with_dependents(chosen | more, tasks) if more else chosen
