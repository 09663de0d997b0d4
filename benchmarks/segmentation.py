"""Training and scoring of many customers, beside scikit-learn with the features in memory."""

import datetime as dt
from functools import cache
from pathlib import Path

import numpy as np
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.cluster import KMeans

from benchmarks.harness import Benchmark
from benchmarks.processes import OwnProcess, own_peak_mb, spark_peak_mb
from spark_jobs.jobs import assign_segments, train_kmeans
from spark_jobs.lake import Lake
from spark_jobs.partitions import partition
from spark_jobs.segmentation.features import Scaling, Values, read_features
from spark_jobs.tables import KMEANS_MODELS, RFM

_DATE = dt.date(2026, 1, 31)
_K_MIN, _K_MAX = 2, 10
_STARTS = 10
_INERTIA_TOLERANCE = 0.005
# Of each group the logs of days, of orders and of an order's price, and how far customers are from it.
_GROUPS = ((2.0, 2.5, 3.0), (3.0, 1.5, 3.5), (4.0, 1.0, 2.5), (5.0, 0.3, 3.0))
_SPREAD = 0.5


def training(spark: SparkSession, folder: Path, customers: int) -> Benchmark:
    """From `gold.rfm` to a stored model; the peer starts with the points in memory and ends with the fits."""
    lake, points = _shop(spark, folder, customers)
    peer = OwnProcess()

    def ours(number: int) -> None:
        train_kmeans.run(spark, train_kmeans.Config(lake.root, _DATE, k_min=_K_MIN, k_max=_K_MAX, seed=number))

    def sweep(number: int) -> dict[int, float]:
        return peer.run(_sweep, points, number)

    return Benchmark(
        f"training on {customers:,} customers, k from {_K_MIN} to {_K_MAX}",
        {"train_kmeans": ours, "scikit-learn's sweep, in memory": lambda number: _ignore(sweep(number))},
        rounds=3,
        check=lambda: _require_as_good(spark, lake, sweep(0)),
        peaks_mb=lambda: _peaks("train_kmeans", peer),
    )


def scoring(spark: SparkSession, folder: Path, customers: int) -> Benchmark:
    """From `gold.rfm` to `gold.customer_segments`; the peer starts with the points in memory and ends with labels."""
    lake, points = _shop(spark, folder, customers)
    train_kmeans.run(spark, train_kmeans.Config(lake.root, _DATE, k=_K_MAX))
    peer = OwnProcess()
    return Benchmark(
        f"scoring {customers:,} customers, k = {_K_MAX}",
        {
            "assign_segments": lambda _: _ignore(assign_segments.run(spark, assign_segments.Config(lake.root, _DATE))),
            "scikit-learn's predict, in memory": lambda _: peer.run(_predict, points),
        },
        peaks_mb=lambda: _peaks("assign_segments", peer),
    )


def _shop(spark: SparkSession, folder: Path, customers: int) -> tuple[Lake, Path]:
    """A lake with one partition of `gold.rfm`, and a file with its points on the model's scale."""
    lake, points = Lake(f"{folder.as_uri()}/segmentation"), folder / "points.npy"
    lake.replace(spark, RFM, _rfm(spark, customers), where="true")
    values = read_features(partition(lake, spark, RFM, _DATE))
    np.save(points, Scaling.fit(values).apply(values))
    return lake, points


def _rfm(spark: SparkSession, customers: int) -> DataFrame:
    group = F.col("customer_id") % len(_GROUPS)
    of_groups = [F.array(*map(F.lit, middles)) for middles in zip(*_GROUPS, strict=True)]
    middles = [F.element_at(of_group, (group + 1).cast("int")) for of_group in of_groups]
    drawn = [F.exp(middle + F.randn(seed) * _SPREAD) for seed, middle in enumerate(middles)]
    orders = F.greatest(F.lit(1), F.round(drawn[1])).cast("bigint")
    rows = spark.range(customers).withColumnRenamed("id", "customer_id")
    return rows.select(
        F.lit(_DATE).alias("snapshot_date"),
        "customer_id",
        F.lit(365).alias("lookback_days"),
        F.least(F.lit(364), F.round(drawn[0])).cast("int").alias("recency_days"),
        orders.alias("frequency"),
        (orders * drawn[2]).cast("decimal(18,2)").alias("monetary"),
        *[F.lit(3).alias(name) for name in ("r_score", "f_score", "m_score")],
        F.lit("333").alias("rfm_score"),
        F.lit("Need Attention").alias("rfm_segment"),
    )


@cache
def _loaded(points: Path) -> Values:
    """Read in the first round, which isn't counted."""
    values: Values = np.load(points)
    return values


def _sweep(points: Path, seed: int) -> dict[int, float]:
    """The inertia of each k."""
    loaded = _loaded(points)
    fits = (KMeans(n_clusters=k, n_init=_STARTS, random_state=seed).fit(loaded) for k in range(_K_MIN, _K_MAX + 1))
    return {len(fit.cluster_centers_): float(fit.inertia_) for fit in fits}


def _predict(points: Path) -> None:
    loaded = _loaded(points)
    KMeans(n_clusters=_K_MAX, n_init=1, init=loaded[:_K_MAX], max_iter=1).fit(loaded[:1_000]).predict(loaded)


def _require_as_good(spark: SparkSession, lake: Lake, inertias: dict[int, float]) -> None:
    model = lake.read(spark, KMEANS_MODELS).collect()[0]
    if abs(model.inertia / inertias[model.k] - 1) > _INERTIA_TOLERANCE:
        raise AssertionError(f"inertia with {model.k} clusters: {model.inertia}, of scikit-learn {inertias[model.k]}")


def _peaks(ours: str, peer: OwnProcess) -> dict[str, float]:
    return {f"{ours}, Python": own_peak_mb(), f"{ours}, JVM": spark_peak_mb(), "scikit-learn": peer.peak_mb()}


def _ignore(_: object) -> None:
    """What a contender returns is looked at elsewhere."""
