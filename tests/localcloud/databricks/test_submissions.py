"""A step is paid for once: what becomes of a run whose answer was lost, or whose try was killed before it waited."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from typer.testing import CliRunner

from include.operators import SubmitJobOperator
from localcloud.cli import commands
from tests.localcloud.databricks.server import WHEEL, Server, airflow_connection, context

WAITS = "import time; time.sleep(600)"
SUCCEEDS = """print('RESULT {"step": "ingest_events", "rows": 0}')"""


class Store(dict[str, str]):
    """Airflow's store of a task's state, which lasts from try to try."""

    def set(self, key: str, value: str) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


def localcloud(server: Server, *words: str) -> None:
    done = CliRunner().invoke(commands, [*words, "--home", str(server.home.root)])
    assert done.exit_code == 0, done.output


@pytest.fixture
def step(light: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[SubmitJobOperator]:
    """A step whose runs wait for their cluster for a while, so that there is something to wait for."""
    monkeypatch.setenv("AIRFLOW_CONN_LIGHT", airflow_connection(light))
    monkeypatch.setenv("LAKE_ROOT", "abfss://bookstore@bookstorelake.dfs.core.windows.net/lake")
    monkeypatch.setenv("BOOKSTORE_WHEEL", WHEEL)
    light.prepare()
    before = runs(light)
    localcloud(light, "fault-cluster", "slow", "--times", "10", "--seconds", "5")
    yield SubmitJobOperator(
        task_id="ingest_events",
        compute="",
        run_name="ours",
        databricks_conn_id="light",
        databricks_retry_delay=0,
    )
    localcloud(light, "fault")
    for run_id in runs(light) - before:
        light.client.jobs.cancel_run(run_id)


def left_by_a_killed_try(server: Server, program: str) -> tuple[Store, int]:
    """What a try leaves that was killed after it had submitted a run and before it waited for it."""
    task, token = server.script("ingest_events", program), uuid.uuid4().hex
    return Store(submission=token), server.client.jobs.submit(tasks=[task], idempotency_token=token).run_id


def runs(server: Server) -> set[int]:
    return {run.run_id or 0 for run in server.client.jobs.list_runs()}


def attempted(step: SubmitJobOperator, store: Store) -> int:
    """The run that a try of the step waits for."""
    with pytest.raises(TaskDeferred) as deferred:
        step.execute(context() | {"task_state_store": store})
    return int(deferred.value.trigger.serialize()[1]["run_id"])


def test_an_answer_that_is_lost_is_asked_for_again_and_no_second_run_is_made(
    light: Server, step: SubmitJobOperator
) -> None:
    before = runs(light)
    localcloud(light, "fault", "jobs/runs/submit", "--works", "--times", "2")
    store = Store()
    run_id = attempted(step, store)
    assert runs(light) - before == {run_id}
    assert store == {}


def test_a_run_that_a_killed_try_left_is_taken_up(light: Server, step: SubmitJobOperator) -> None:
    store, left = left_by_a_killed_try(light, WAITS)
    before = runs(light)
    assert attempted(step, store) == left
    assert (runs(light), store) == (before, {})


def test_one_that_has_succeeded_meanwhile_gives_its_result(light: Server, step: SubmitJobOperator) -> None:
    localcloud(light, "fault")  # its cluster is up at once
    store, left = left_by_a_killed_try(light, SUCCEEDS)
    light.ended(left)
    before = runs(light)
    around: Any = context() | {"task_state_store": store}
    assert step.execute(around) == {"step": "ingest_events", "rows": 0}
    assert (runs(light), store) == (before, {})


def test_one_that_was_cancelled_is_not_taken_up(light: Server, step: SubmitJobOperator) -> None:
    store, left = left_by_a_killed_try(light, WAITS)
    light.client.jobs.cancel_run(left)
    light.ended(left)
    before = runs(light)
    anew = attempted(step, store)
    assert runs(light) - before == {anew}
    assert store == {}


def test_a_try_that_was_killed_before_it_submitted_is_made_up_for(light: Server, step: SubmitJobOperator) -> None:
    before = runs(light)
    anew = attempted(step, Store(submission="never sent"))
    assert runs(light) - before == {anew}


def test_the_next_try_after_one_that_waited_makes_a_run_of_its_own(step: SubmitJobOperator) -> None:
    store = Store()
    first, second = attempted(step, store), attempted(step, store)
    assert first != second
