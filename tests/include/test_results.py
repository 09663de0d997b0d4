import pytest
from airflow.providers.databricks.hooks.databricks import RunState

from include.errors import JobFailedError
from include.results import failure_sentence, latest_task_run, parse_result, retry_helps, tail


def test_result_is_the_last_result_line() -> None:
    logs = 'RESULT {"rows": 1}\nsome words\nRESULT {"step": "ingest_events", "rows": 2}\na warning after it\n'
    assert parse_result("ingest_events", logs) == {"step": "ingest_events", "rows": 2}


@pytest.mark.parametrize(
    ("logs", "sentence"),
    [
        ("words only", "ingest_events must print a line `RESULT {json}` and printed none: see the run's page"),
        ("RESULT [1]", "ingest_events must print a JSON object as its RESULT, found: RESULT [1]"),
        (
            "RESULT ",
            "ingest_events printed a RESULT line that is not JSON (Expecting value: line 1 column 1 (char 0)): RESULT",
        ),
    ],
)
def test_success_without_a_result_is_a_failure(logs: str, sentence: str) -> None:
    with pytest.raises(JobFailedError) as failed:
        parse_result("ingest_events", logs)
    assert str(failed.value) == sentence


def test_tail_keeps_the_end_and_says_what_it_hides() -> None:
    assert tail("a\nb") == ["a", "b"]
    assert tail("\n".join(map(str, range(103)))) == [
        "… 3 earlier lines are on the run's page",
        *map(str, range(3, 103)),
    ]


def test_output_belongs_to_the_newest_attempt_of_the_task() -> None:
    tasks = [{"run_id": 12, "attempt_number": 1}, {"run_id": 11, "attempt_number": 0}]
    assert latest_task_run({"run_id": 10, "tasks": tasks}) == 12


def test_failure_is_the_first_line_of_the_jobs_error() -> None:
    state = RunState("TERMINATED", "FAILED", "Workload failed, see run output for details")
    output = {"error": "ArgumentError: --snapshot_date must be a date\nand more"}
    assert failure_sentence(state, output) == "FAILED: ArgumentError: --snapshot_date must be a date"


def test_failure_before_the_job_began_is_what_databricks_says() -> None:
    state = RunState("INTERNAL_ERROR", "FAILED", "Could not start the cluster")
    assert failure_sentence(state, {}) == "FAILED: Could not start the cluster"
    assert failure_sentence(RunState("INTERNAL_ERROR"), {}) == "INTERNAL_ERROR: no reason given"


@pytest.mark.parametrize(
    ("code", "logs", "helps"),
    [
        ("CLUSTER_ERROR", "", True),
        ("CLOUD_FAILURE", "", True),
        ("RUN_EXECUTION_ERROR", "a line of a library", True),
        (None, "", True),
        ("USER_CANCELED", "", False),
        ("UNAUTHORIZED_ERROR", "", False),
        ("INVALID_RUN_CONFIGURATION", "", False),
        ("RUN_EXECUTION_ERROR", 'FAILURE {"kind": "ArgumentError", "retry_helps": false}', False),
        ("RUN_EXECUTION_ERROR", 'FAILURE {"kind": "ConcurrentCallError", "retry_helps": true}', True),
        ("RUN_EXECUTION_ERROR", "FAILURE {cut off", True),
        ("RUN_EXECUTION_ERROR", "FAILURE []", True),
    ],
)
def test_a_retry_is_for_what_it_can_mend(code: str | None, logs: str, helps: bool) -> None:
    run = {"run_id": 7, "status": {"termination_details": {"code": code}}} if code else {"run_id": 7}
    assert retry_helps(run, {"logs": logs}) is helps
