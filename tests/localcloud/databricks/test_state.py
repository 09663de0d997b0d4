"""The workspace's database across versions of the program."""

import sqlite3
from pathlib import Path

from sqlalchemy import select

from localcloud.databricks.state import Repair, Run, State


def test_runs_that_an_earlier_version_kept_are_still_there(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    State(path).add(Run(run_name="before", run_type="SUBMIT_RUN", settings={"tasks": []}, start_time=1))
    with sqlite3.connect(path) as database:  # as it was before there were repairs
        database.execute("ALTER TABLE runs DROP COLUMN repair_id")
        database.execute("DROP TABLE repairs")
    state = State(path)
    (run,) = state.find(select(Run))
    assert (run.run_name, run.settings, run.repair_id) == ("before", {"tasks": []}, None)
    state.add(Repair(run_id=run.run_id, is_original=True, life_cycle_state="TERMINATED", start_time=1))
    assert [repair.run_id for repair in state.find(select(Repair))] == [run.run_id]
