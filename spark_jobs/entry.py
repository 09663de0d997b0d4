"""The frame around every job: arguments in, one `RESULT {json}` line out."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pyspark.sql import SparkSession

from spark_jobs.arguments import parse_arguments
from spark_jobs.session import get_session

Config = TypeVar("Config")
Result = Mapping[str, Any]


def run_job(
    step: str, config: type[Config], run: Callable[[SparkSession, Config], Result], argv: Sequence[str] | None = None
) -> None:
    """Reads the arguments, runs the job, and prints its result as the last line of standard output.

    Airflow's operator reads that line: `{"step": …}` with the job's own numbers, or with `skipped` and the reason.

    Args:
        step: The step's name, as in the task key.
        config: The frozen dataclass of the job's arguments.
        run: The job itself.
        argv: Command line without the program's name; `None` reads the process's own.
    """
    # Arguments come first: a wrong one should fail before a session is paid for.
    settings = parse_arguments(config, sys.argv[1:] if argv is None else argv)
    result = run(get_session(), settings)
    print("RESULT", json.dumps({"step": step, **result}, default=str), flush=True)  # noqa: T201 - the job's interface
