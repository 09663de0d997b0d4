"""Runs every benchmark: `python -m benchmarks`. A table to read, and JSON under `benchmarks/results/`."""

import datetime as dt
import json
import os
import platform
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import change_data
from benchmarks.harness import Benchmark, Timing, ratio, run

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    console = Console()
    results = []
    for benchmark in change_data.benchmarks():
        with console.status(f"{benchmark.name} …"):
            timings = run(benchmark)
        console.print(_table(benchmark, timings))
        results.append(_record(benchmark, timings))
    console.print(f"Written to {_write(results)}")


def _table(benchmark: Benchmark, timings: list[Timing]) -> Table:
    table = Table("contender", "median s", "min s", "max s", "ours / it", title=benchmark.name)
    for timing in timings:
        figures = (timing.median, min(timing.seconds), max(timing.seconds), ratio(timings[0], timing))
        table.add_row(timing.contender, *(f"{figure:.2f}" for figure in figures))
    return table


def _record(benchmark: Benchmark, timings: list[Timing]) -> dict[str, Any]:
    seconds = {timing.contender: timing.seconds for timing in timings}
    return {"benchmark": benchmark.name, "rounds": benchmark.rounds, "seconds": seconds}


def _write(results: list[dict[str, Any]]) -> Path:
    now = dt.datetime.now(dt.UTC)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    path = RESULTS / f"{now:%Y-%m-%dT%H%M%S}.json"
    path.write_text(json.dumps({"at": now.isoformat(), "on": machine, "results": results}, indent=2))
    return path


if __name__ == "__main__":
    main()
