"""The frame around every job: arguments in, one `RESULT {json}` line out."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pyspark.sql import SparkSession

from spark_jobs.arguments import divided, parse_arguments
from spark_jobs.errors import JobError
from spark_jobs.session import get_session

Config = TypeVar("Config")
Result = Mapping[str, Any]


def run_job(
    step: str, config: type[Config], run: Callable[[SparkSession, Config], Result], argv: Sequence[str] | None = None
) -> None:
    """Reads the arguments, runs the job, and prints its result as the last line of standard output.

    Airflow's operator reads that line: `{"step": …}` with the job's own numbers, or with `skipped` and the reason. A
    job that fails on purpose prints `FAILURE {"kind": …, "retry_helps": …}`, so that it isn't tried again in vain.
    With `--lineage_url` a catalogue is told, too: see `spark_jobs.lineage`.

    Args:
        step: The step's name, as in the task key.
        config: The frozen dataclass of the job's arguments.
        run: The job itself.
        argv: Command line without the program's name; `None` reads the process's own.
    """
    try:
        # Arguments come first: a wrong one should fail before a session is paid for.
        for_lineage, own = divided(sys.argv[1:] if argv is None else argv, prefix="lineage_")
        settings = parse_arguments(config, own)
        result = _report(step, settings, for_lineage, lambda: run(get_session(), settings))
    except JobError as error:
        _tell("FAILURE", {"step": step, "kind": type(error).__name__, "retry_helps": error.retry_helps})
        raise
    _tell("RESULT", {"step": step, **result})


def _report(step: str, settings: Any, for_lineage: Sequence[str], job: Callable[[], Result]) -> Result:
    if not for_lineage:
        return job()
    # Nobody pays for what isn't asked for.
    from spark_jobs.lineage.reporting import LineageConfig, reported

    return reported(step, settings, parse_arguments(LineageConfig, for_lineage), job)


def _tell(what: str, details: Result) -> None:
    print(what, json.dumps(details, default=str), flush=True)  # noqa: T201 - the job's interface
