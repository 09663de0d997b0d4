"""Times contenders side by side: in turn, so that a machine whose speed drifts is the same for all of them."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pyspark.sql import DataFrame

from spark_jobs.auto_cdc import apply_changes

Figures = dict[str, float]
"""What is measured without a peer, by name."""


@dataclass(frozen=True)
class Benchmark:
    """One question, and those who answer it.

    Attributes:
        name: The question, as the table's title.
        contenders: What is timed, by name; the first is ours, the others are its peers. Each is given the
            number of its round, 0 being the warm-up.
        rounds: Counted rounds.
        prepare: Called before each round, untimed.
        check: Called once after the warm-up: whether the contenders have come to the same.
        peaks_mb: The most memory that each process has had, at the end.
        close: Called at the end, whatever came of it.
    """

    name: str
    contenders: Mapping[str, Callable[[int], None]]
    rounds: int = 5
    prepare: Callable[[int], None] = lambda _: None
    check: Callable[[], None] = lambda: None
    peaks_mb: Callable[[], Mapping[str, float]] = dict
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Timing:
    """What one contender took.

    Attributes:
        contender: Its name.
        seconds: One figure per counted round.
    """

    contender: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def run(benchmark: Benchmark) -> list[Timing]:
    """Times every contender, in turn, after a warm-up round that isn't counted."""
    taken: dict[str, list[float]] = {name: [] for name in benchmark.contenders}
    for number in range(benchmark.rounds + 1):
        benchmark.prepare(number)
        for name, contender in benchmark.contenders.items():
            began = time.perf_counter()
            contender(number)
            taken[name].append(time.perf_counter() - began)
        if number == 0:
            benchmark.check()
    return [Timing(name, tuple(seconds[1:])) for name, seconds in taken.items()]


def ratio(ours: Timing, other: Timing) -> float:
    """Median of ours over the other's, round by round: below 1, ours is faster."""
    return statistics.median(a / b for a, b in zip(ours.seconds, other.seconds, strict=True))


def percentiles(seconds: Sequence[float], *wanted: int) -> Figures:
    """How many there are, and within what time so many hundredths of them were done."""
    hundredths = statistics.quantiles(seconds, n=100)
    return {"count": len(seconds)} | {f"p{each}": hundredths[each - 1] for each in wanted}


def create(rows: DataFrame, table: str) -> None:
    """Writes a contender's table anew; all have what `apply_changes` would set, so that none is slowed by it."""
    spark = rows.sparkSession
    for name in (table, f"{table}__cdc"):
        spark.sql(f"DROP TABLE IF EXISTS {name}")
    rows.write.format("delta").option("delta.enableDeletionVectors", "true").saveAsTable(table)


def apply(batch: DataFrame, target: str, scd_type: Literal[1, 2]) -> None:
    """What is measured: a call of ours."""
    apply_changes(
        batch.sparkSession,
        target=target,
        source=batch,
        keys=["id"],
        sequence_by="sequence",
        except_column_list=["sequence"],
        stored_as_scd_type=scd_type,
    )
