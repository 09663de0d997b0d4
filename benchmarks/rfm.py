"""RFM of the last day: the day's run after little and after much history, beside recomputations of the partition."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks import rfm_peers
from benchmarks.harness import Benchmark
from benchmarks.processes import OwnProcess, spark_peak_mb
from benchmarks.shop import LAST_DAY, Shop, live_the_last_day, open_shop
from spark_jobs.jobs import aggregate_rfm
from spark_jobs.lake import Lake
from spark_jobs.partitions import on, partition
from spark_jobs.tables import CUSTOMERS, ORDER_LINE_ITEMS, ORDERS, RFM, RFM_TOTALS, Table
from spark_jobs.transforms.rfm import rfm
from spark_jobs.transforms.totals import Window, totals_of

_WINDOW = Window(LAST_DAY, 365)
_COMPARED = ("customer_id", "recency_days", "frequency", "cents", "r_score", "f_score", "m_score")
_PEERS: dict[str, Callable[..., None]] = {"DuckDB": rfm_peers.by_duckdb, "polars": rfm_peers.by_polars}


@dataclass(frozen=True)
class Peer:
    """One that recomputes the partition from files."""

    recompute: Callable[..., None]
    lines: Sequence[str]
    customers: Sequence[str]
    target: Path
    process: OwnProcess = field(default_factory=OwnProcess)

    def run(self, _number: int) -> None:
        arguments = (self.lines, self.customers, LAST_DAY, _WINDOW.lookback_days, self.target)
        self.process.run(self.recompute, *arguments)


def day_of_rfm(spark: SparkSession, folder: Path, lines: Sequence[int], customers: int) -> Benchmark:
    """The largest of the shops is what all but the day's runs read."""
    shops = [Shop(Lake(f"{folder.as_uri()}/{count}"), count, customers) for count in sorted(lines, reverse=True)]
    for shop in shops:
        _live(spark, shop)
    large = shops[0]
    lines_of_all, customers_of_all = (_files(spark, large.lake, table) for table in (ORDER_LINE_ITEMS, CUSTOMERS))
    peers = {
        name: Peer(recompute, lines_of_all, customers_of_all, folder / f"{name}.parquet")
        for name, recompute in _PEERS.items()
    }
    days = {f"the day's run, {shop.lines:,} lines": _day(spark, shop) for shop in shops}
    recomputed = f"{folder.as_uri()}/recomputed"
    return Benchmark(
        f"RFM of a day: {customers:,} customers, recomputations with {large.lines:,} lines",
        {
            **days,
            "Spark, all of the window's orders": lambda _: _recompute(spark, large.lake, recomputed),
            **{f"{name}, all of the window's lines": peer.run for name, peer in peers.items()},
        },
        rounds=3,
        prepare=lambda _: _forget_last_day(spark, shops),
        check=lambda: _require_same(spark, large.lake, [recomputed], [peer.target for peer in peers.values()]),
        peaks_mb=lambda: {"Spark, all three": spark_peak_mb(), **{n: p.process.peak_mb() for n, p in peers.items()}},
    )


def _live(spark: SparkSession, shop: Shop) -> None:
    """All the years, with a run on the last day but one."""
    open_shop(spark, shop)
    aggregate_rfm.run(
        spark, aggregate_rfm.Config(shop.lake.root, LAST_DAY - dt.timedelta(days=1), _WINDOW.lookback_days)
    )
    live_the_last_day(spark, shop)


def _day(spark: SparkSession, shop: Shop, date: dt.date = LAST_DAY) -> Callable[[int], None]:
    config = aggregate_rfm.Config(shop.lake.root, date, _WINDOW.lookback_days)

    def run(_number: int) -> None:
        aggregate_rfm.run(spark, config)

    return run


def _forget_last_day(spark: SparkSession, shops: Sequence[Shop]) -> None:
    for shop in shops:
        shop.lake.clear(spark, RFM_TOTALS, on(LAST_DAY))


def _recompute(spark: SparkSession, lake: Lake, target: str) -> None:
    totals = totals_of(lake.read(spark, ORDERS), _WINDOW)
    rows = rfm(lake.read(spark, CUSTOMERS), totals, snapshot_date=LAST_DAY, lookback_days=_WINDOW.lookback_days)
    rows.write.format("delta").mode("overwrite").save(target)


def _files(spark: SparkSession, lake: Lake, table: Table) -> list[str]:
    return sorted(file.removeprefix("file://") for file in lake.read(spark, table).inputFiles())


def _require_same(spark: SparkSession, lake: Lake, tables: Sequence[str], files: Sequence[Path]) -> None:
    ours = _comparable(partition(lake, spark, RFM, LAST_DAY))
    others = [spark.read.format("delta").load(table) for table in tables]
    others += [spark.read.parquet(file.as_uri()) for file in files]
    for other in map(_comparable, others):
        if not (ours.exceptAll(other).isEmpty() and other.exceptAll(ours).isEmpty()):
            raise AssertionError(f"{other.inputFiles()[0]} differs from gold.rfm")


def _comparable(rows: DataFrame) -> DataFrame:
    has_cents = "cents" in rows.columns
    cents = F.col("cents") if has_cents else (F.col("monetary") * 100)
    return rows.withColumn("cents", cents).select(*[F.col(name).cast("bigint").alias(name) for name in _COMPARED])
