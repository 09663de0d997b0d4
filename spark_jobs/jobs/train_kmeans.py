"""Trains K-Means on an RFM partition: `gold.rfm` -> `gold.kmeans_models`, `gold.segment_profiles`."""

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyspark.sql import SparkSession

from spark_jobs.entry import Result, run_job
from spark_jobs.errors import ArgumentError, JobError
from spark_jobs.lake import Lake
from spark_jobs.partitions import latest_partition, missing_partition, partition
from spark_jobs.segmentation.challenger import Challenger, train
from spark_jobs.segmentation.champion import Verdict, judge
from spark_jobs.segmentation.features import Values, read_features, sampled
from spark_jobs.segmentation.registry import read_champion, read_sizes, write_model
from spark_jobs.segmentation.scoring import sizes
from spark_jobs.segmentation.training import different_customers
from spark_jobs.tables import RFM

log = logging.getLogger(__name__)

_FEWEST = 2


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        snapshot_date: The RFM partition to train on; None for the latest.
        k: How many clusters; None to choose between `k_min` and `k_max` by silhouette.
        k_min: The fewest to try.
        k_max: The most to try.
        seed: Of everything that is drawn.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    snapshot_date: dt.date | None = None
    k: int | None = None
    k_min: int = 2
    k_max: int = 8
    seed: int = 42
    catalog: str = ""

    def __post_init__(self) -> None:
        if self.k is not None and self.k < _FEWEST:
            raise ArgumentError(f"--k must be at least {_FEWEST}, found {self.k}; leave it out to have it chosen")
        if not _FEWEST <= self.k_min <= self.k_max:
            raise ArgumentError(
                f"--k_min must be at least {_FEWEST} and at most --k_max, found {self.k_min} and {self.k_max}"
            )
        if not 0 <= self.seed < 2**31:
            raise ArgumentError(f"--seed must be from 0 to {2**31 - 1}, found {self.seed}")


def run(spark: SparkSession, config: Config) -> Result:
    """The same rows and seed give the same model, whose second training changes nothing.

    Skipped while there is nothing to train on; a partition that is asked for by name has to be there.
    """
    lake = Lake(config.lake_root, config.catalog)
    snapshot_date = config.snapshot_date or _latest(spark, lake)
    if snapshot_date is None:
        # A schedule that starts before the first events isn't a failure.
        return {"skipped": "gold.rfm has no partition to train on yet: run aggregate_rfm first"}
    rfm = partition(lake, spark, RFM, snapshot_date)
    customers = rfm.count()
    if not customers:
        raise missing_partition(RFM, snapshot_date, "aggregate_rfm")
    values = read_features(sampled(rfm, customers))
    ks = _possible_ks(config, values)
    if not ks:
        found = different_customers(values)
        reason = f"{config.k_min} clusters need more than {config.k_min} customers who differ, found {found}"
        return {"snapshot_date": snapshot_date, "customers": customers, "skipped": reason}
    champion = read_champion(spark, lake)
    challenger = train(values, ks, snapshot_date=snapshot_date, seed=config.seed, champion=champion)
    if len(values) < customers:
        log.info("Trained on a sample of %s of %s customers", f"{len(values):,}", f"{customers:,}")
        challenger = replace(challenger, customers=customers, sizes=sizes(rfm, challenger.model))
    sizes_then = read_sizes(spark, lake, champion) if champion else []
    verdict = judge(challenger, champion, sizes_then)
    if champion != challenger.model:
        write_model(spark, lake, challenger, verdict, trained_at=dt.datetime.now(dt.UTC))
    return _result(challenger, verdict)


def _latest(spark: SparkSession, lake: Lake) -> dt.date | None:
    return latest_partition(lake, spark, RFM) if lake.exists(spark, RFM) else None


def _possible_ks(config: Config, values: Values) -> list[int]:
    """Those that were asked for and leave a choice: with as many clusters as different customers there is none."""
    found = different_customers(values)
    if config.k is None:
        return [k for k in range(config.k_min, config.k_max + 1) if k < found]
    if config.k >= found:
        raise JobError(
            f"--k={config.k} needs more than {config.k} customers who differ, found {found}: "
            f"pass a smaller --k, or leave it out to have it chosen"
        )
    return [config.k]


def _result(challenger: Challenger, verdict: Verdict) -> Result:
    return {
        "snapshot_date": challenger.model.snapshot_date,
        "customers": challenger.customers,
        "k": len(challenger.model.clusters),
        "silhouette": round(challenger.silhouette, 4),
        "model_version": challenger.model.version,
        "is_champion": verdict.is_champion,
        "awaits_approval": verdict.awaits_approval,
        "moved_share": round(challenger.moved_share, 4),
        "verdict": verdict.reason,
    }


def main(argv: Sequence[str] | None = None) -> None:
    run_job("train_kmeans", Config, run, argv)


if __name__ == "__main__":
    main()
