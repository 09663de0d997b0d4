"""A segment's audience for a campaign: `silver.customers`, `gold.rfm` -> `gold.audiences`, and files in the lake."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.campaigns.effects import RESPONSE_DAYS, smallest_effect
from spark_jobs.campaigns.files import write_files
from spark_jobs.campaigns.ids import check_campaign
from spark_jobs.entry import Result, run_job
from spark_jobs.errors import ArgumentError, JobError
from spark_jobs.lake import Lake
from spark_jobs.partitions import latest_partition, missing_partition, on, partition
from spark_jobs.tables import AUDIENCES, CUSTOMERS, RFM
from spark_jobs.transforms.audiences import audience, drawn_share
from spark_jobs.transforms.rfm import SEGMENTS


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        campaign: Its id: it is part of a path, so small letters, digits and hyphens.
        segment: The RFM segment to write to.
        snapshot_date: The partition of `gold.rfm`; None for the latest.
        held_out_share: Of the audience, who are not written to, so that the effect can be told; one for a campaign.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    campaign: str
    segment: str
    snapshot_date: dt.date | None = None
    held_out_share: float = 0.1
    catalog: str = ""

    def __post_init__(self) -> None:
        check_campaign(self.campaign)
        if self.segment not in SEGMENTS.values():
            names = ", ".join(sorted(set(SEGMENTS.values())))
            raise ArgumentError(f"--segment must be one of {names}, found {self.segment!r}")
        if not 0 <= self.held_out_share < 1:
            raise ArgumentError(f"--held_out_share must be from 0 to below 1, found {self.held_out_share}")


def run(spark: SparkSession, config: Config) -> Result:
    """Adds those who are not in the campaign yet, and writes the files of the date.

    Run again, it adds nobody twice, keeps everybody in the group that they were drawn for, and writes the same files.
    """
    lake = Lake(config.lake_root, config.catalog)
    snapshot_date = config.snapshot_date or _latest(spark, lake)
    rfm = partition(lake, spark, RFM, snapshot_date)
    if rfm.isEmpty():
        raise missing_partition(RFM, snapshot_date, "aggregate_rfm")
    customers = lake.read(spark, CUSTOMERS)
    lake.extend(spark, AUDIENCES)
    _check_share(_of_campaign(spark, lake, config.campaign), config)
    _add(lake, audience(
        customers, rfm, campaign=config.campaign, segment=config.segment, held_out_share=config.held_out_share,
        exported_at=dt.datetime.now(dt.UTC),
    ))  # fmt: skip
    members = _of_campaign(spark, lake, config.campaign).where(on(snapshot_date))
    path = write_files(members, customers, lake, config.campaign, snapshot_date)
    return {"campaign": config.campaign, "snapshot_date": snapshot_date, "path": path, **_sizes(members, rfm)}


def _latest(spark: SparkSession, lake: Lake) -> dt.date:
    latest = latest_partition(lake, spark, RFM)
    if latest is None:
        raise JobError("a partition of gold.rfm is required to find an audience in, there is none: run aggregate_rfm")
    return latest


def _of_campaign(spark: SparkSession, lake: Lake, campaign: str) -> DataFrame:
    return lake.read(spark, AUDIENCES).where(F.col("campaign") == campaign)


def _check_share(of_campaign: DataFrame, config: Config) -> None:
    """Groups that are drawn with different shares are of different people: their difference isn't the campaign's."""
    drawn = of_campaign.where("held_out_share IS NOT NULL").select("held_out_share").first()
    if drawn is not None and drawn["held_out_share"] != drawn_share(config.held_out_share):
        raise ArgumentError(
            f"--held_out_share must be {drawn['held_out_share']}, which {config.campaign} was drawn with before, "
            f"found {config.held_out_share}: pass that, or another --campaign"
        )


def _add(lake: Lake, members: DataFrame) -> None:
    target = lake.name(AUDIENCES)
    is_known = F.expr(f"{target}.campaign = found.campaign AND {target}.customer_id = found.customer_id")
    members.alias("found").mergeInto(target, is_known).whenNotMatched().insertAll().merge()


def _sizes(members: DataFrame, rfm: DataFrame) -> Result:
    """How many are in which group, and the effect that can be told: in the share who buy within a month."""
    recent = (F.col("recency_days") < RESPONSE_DAYS).cast("int")
    known = members.join(rfm.select("customer_id", "recency_days"), on="customer_id")
    row = known.agg(
        F.count_if(~F.col("is_held_out")).alias("rows"),
        F.count_if(F.col("is_held_out")).alias("held_out"),
        F.coalesce(F.avg(recent), F.lit(0.0)).alias("base_rate"),
    ).collect()[0]
    sizes = {"rows": row["rows"], "held_out": row["held_out"]}
    if not row["rows"]:
        return {**sizes, "skipped": "nobody of the segment agreed to marketing and is new to the campaign"}
    effect = smallest_effect(row["rows"], row["held_out"], row["base_rate"])
    return {**sizes, "smallest_effect": None if effect is None else round(effect, 4)}


def main(argv: Sequence[str] | None = None) -> None:
    run_job("export_audience", Config, run, argv)


if __name__ == "__main__":
    main()
