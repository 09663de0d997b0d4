"""Makes a stored model champion: one that was approved, or the one before, to go back."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.entry import Result, run_job
from spark_jobs.lake import Lake
from spark_jobs.segmentation.registry import crown, find_version
from spark_jobs.tables import KMEANS_MODELS


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        model_version: Of `gold.kmeans_models`; empty: the champion before the present one.
        decided_by: Who wants it.
        requested_at: When, as ISO-8601. Repeated for the same request, the job changes nothing: going back twice would
            be going forward.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    model_version: str = ""
    decided_by: str = ""
    requested_at: str = ""
    catalog: str = ""


def run(spark: SparkSession, config: Config) -> Result:
    """One commit; `assign_segments` uses the model from its next run on."""
    lake = Lake(config.lake_root, config.catalog)
    champion = lake.read(spark, KMEANS_MODELS).where("is_champion").select("model_version").first()
    before = champion["model_version"] if champion else None
    if _is_done(spark, lake, config):
        return {"model_version": before, "skipped": f"{before} became champion after this was asked for"}
    version = find_version(spark, lake, config.model_version)
    if version == before:
        return {"model_version": version, "skipped": f"{version} is champion already"}
    decided_by = config.decided_by or "a person"
    reason = f"champion: {'approved' if config.model_version else 'gone back to'} by {decided_by}, instead of {before}"
    crown(spark, lake, version, reason=reason, decided_by=decided_by, now=dt.datetime.now(dt.UTC))
    return {"model_version": version, "instead_of": before, "verdict": reason}


def _is_done(spark: SparkSession, lake: Lake, config: Config) -> bool:
    models = lake.read(spark, KMEANS_MODELS)
    if not config.requested_at or "champion_since" not in models.columns:
        return False
    asked = F.lit(config.requested_at).cast("timestamp")
    return not models.where(F.col("is_champion") & (F.col("champion_since") >= asked)).isEmpty()


def main(argv: Sequence[str] | None = None) -> None:
    run_job("promote_model", Config, run, argv)


if __name__ == "__main__":
    main()
