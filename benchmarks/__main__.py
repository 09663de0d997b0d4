"""Runs the benchmarks: `python -m benchmarks`, or those whose names are given. Tables to read, and a file of JSON.

Over Spark Connect: `python -m benchmarks --connect small_batch`.
"""

import argparse
import datetime as dt
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from rich.console import Console
from rich.table import Table

from benchmarks import history, latest_rows, orchestration, rfm, segmentation
from benchmarks.harness import Benchmark, Figures, Timing, ratio, run
from benchmarks.ingest import ingest
from benchmarks.latency import PER_SECOND, latency
from spark_jobs.session import get_session, local_delta_conf

RESULTS = Path(__file__).parent / "results"
BENCHMARKS: dict[str, Callable[[SparkSession], Benchmark]] = {
    "small_batch": latest_rows.small_batch,
    "large_table": latest_rows.large_table,
    "short_history": history.short_history,
    "long_history": history.long_history,
    "late_events": history.late_events,
}
_RFM, _TRAINING, _SCORING, _INGEST, _LATENCY = "rfm", "training", "scoring", "ingest", "latency"
_ORCHESTRATION: dict[str, tuple[str, Callable[[], Figures]]] = {
    "submit": ("seconds from runs/submit to a task's first line, on a cluster that is up", orchestration.submitting),
    "parse": ("seconds to parse a DAG file, beyond importing Airflow and the providers", orchestration.parsing),
    "chain": ("the demo, all warm, and what of it passes while no task runs on Databricks", orchestration.playing),
    "day": (
        "seconds from a day's events in Kafka to the report, beside a cold Spark per step",
        orchestration.living_a_day,
    ),
}
_NAMES = (*BENCHMARKS, _RFM, _TRAINING, _SCORING, _INGEST, _LATENCY, *_ORCHESTRATION)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Times the pipeline beside its peers.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"which of {', '.join(_NAMES)}; all by default")
    parser.add_argument("--connect", action="store_true", help="over Spark Connect")
    parser.add_argument("--lines", nargs="+", type=int, default=[20_000_000, 100_000_000], help="order lines, for rfm")
    parser.add_argument("--customers", type=int, default=1_000_000, help="for rfm, training, scoring")
    parser.add_argument("--events", type=int, default=2_000_000, help="order events, for ingest")
    arguments = parser.parse_args()
    unknown = set(arguments.names).difference(_NAMES)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(_NAMES)}")
    names = arguments.names or _NAMES
    results = _of_spark([name for name in names if name not in _ORCHESTRATION], arguments)
    results += [_figures(*_ORCHESTRATION[name]) for name in names if name in _ORCHESTRATION]
    Console().print(f"Written to {_write(results, connect=arguments.connect)}")


def _of_spark(names: Sequence[str], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Those that need a session, which is gone when others are measured."""
    if not names:
        return []
    with tempfile.TemporaryDirectory() as folder:
        spark = _connect_session() if arguments.connect else get_session()
        spark.sql(f"CREATE SCHEMA bench LOCATION '{Path(folder).as_uri()}'")
        of_day = partial(rfm.day_of_rfm, folder=Path(folder), lines=arguments.lines, customers=arguments.customers)
        of_ingest = partial(ingest, events=arguments.events)
        of_customers = {
            name: partial(make, folder=Path(folder), customers=arguments.customers)
            for name, make in ((_TRAINING, segmentation.training), (_SCORING, segmentation.scoring))
        }
        makers: dict[str, Callable[[SparkSession], Benchmark]] = {
            **BENCHMARKS,
            _RFM: of_day,
            **of_customers,
            _INGEST: of_ingest,
        }
        measures: dict[str, Callable[[SparkSession], dict[str, Any]]] = {
            name: partial(_measure, name=name, make=make) for name, make in makers.items()
        }
        measures[_LATENCY] = _latency
        results = [measures[name](spark) for name in names]
        spark.stop()
    return results


def _connect_session() -> SparkSession:
    builder = SparkSession.builder.remote("local[2]")
    for name, value in local_delta_conf(sorted((Path(sys.prefix) / "jars" / "spark").glob("*.jar"))).items():
        if name != "spark.master":
            builder = builder.config(name, value)
    session: SparkSession = builder.getOrCreate()
    return session


def _measure(spark: SparkSession, name: str, make: Callable[[SparkSession], Benchmark]) -> dict[str, Any]:
    console = Console()
    with console.status(f"{name}: making the tables …"):
        benchmark = make(spark)
    try:
        with console.status(f"{benchmark.name} …"):
            timings = run(benchmark)
        peaks = benchmark.peaks_mb()
    finally:
        benchmark.close()
    console.print(_table(benchmark, timings))
    for process, peak in peaks.items():
        console.print(f"{process}: at most {peak:,.0f} MB")
    return _record(benchmark, timings) | {"peaks_mb": peaks}


def _figures(title: str, measure: Callable[[], Figures]) -> dict[str, Any]:
    """What has no peer to stand beside."""
    console = Console()
    with console.status(f"{title} …"):
        found = measure()
    table = Table("", "", title=title)
    for name, figure in found.items():
        table.add_row(name, f"{figure:,}" if isinstance(figure, int) else f"{figure:,.2f}")
    console.print(table)
    return {"benchmark": title, "figures": found}


def _latency(spark: SparkSession) -> dict[str, Any]:
    title = f"seconds from produced to readable in bronze, in real time, {PER_SECOND:,} events a second"
    return _figures(title, partial(latency, spark))


def _table(benchmark: Benchmark, timings: list[Timing]) -> Table:
    table = Table("contender", "median s", "min s", "max s", "ours / it", title=benchmark.name)
    for timing in timings:
        figures = (timing.median, min(timing.seconds), max(timing.seconds), ratio(timings[0], timing))
        table.add_row(timing.contender, *(f"{figure:.2f}" for figure in figures))
    return table


def _record(benchmark: Benchmark, timings: list[Timing]) -> dict[str, Any]:
    seconds = {timing.contender: timing.seconds for timing in timings}
    return {"benchmark": benchmark.name, "rounds": benchmark.rounds, "seconds": seconds}


def _write(results: list[dict[str, Any]], *, connect: bool) -> Path:
    now = dt.datetime.now(dt.UTC)
    machine = {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }
    path = RESULTS / f"{now:%Y-%m-%dT%H%M%S}.json"
    path.write_text(
        json.dumps({"at": now.isoformat(), "on": machine, "connect": connect, "results": results}, indent=2)
    )
    return path


if __name__ == "__main__":
    main()
