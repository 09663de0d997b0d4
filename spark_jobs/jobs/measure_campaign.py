"""What a campaign brought: `gold.audiences`, `silver.customers`, `orders` -> a row of `gold.campaign_results`."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from spark_jobs.campaigns.effects import RESPONSE_DAYS
from spark_jobs.campaigns.ids import check_campaign
from spark_jobs.campaigns.results import CampaignResult, Window, instant, result_of
from spark_jobs.campaigns.uplift import Group
from spark_jobs.entry import Result, run_job
from spark_jobs.errors import ArgumentError, MissingCampaignError
from spark_jobs.lake import Lake
from spark_jobs.tables import AUDIENCES, CAMPAIGN_RESULTS, CUSTOMERS, ORDERS
from spark_jobs.transforms.responses import responses

_NAMED = 5
_TOLD = ("campaign", "window_end", "is_over", "written_to", "held_out", "rate_uplift", "revenue_uplift", "verdict")


@dataclass(frozen=True)
class Config:
    """Arguments.

    Attributes:
        lake_root: URI of the lake.
        campaign: The id that it was exported with.
        response_days: An order counts in as many days after the customer's export.
        catalog: Unity Catalog's catalog; empty where there is none.
    """

    lake_root: str
    campaign: str
    response_days: int = RESPONSE_DAYS
    catalog: str = ""

    def __post_init__(self) -> None:
        check_campaign(self.campaign)
        if self.response_days < 1:
            raise ArgumentError(f"--response_days must be at least 1, found {self.response_days}")


def run(spark: SparkSession, config: Config) -> Result:
    """Replaces what is said about the campaign and this window, and nothing else.

    Customers are compared in the groups that they were drawn for, whatever became of them: with anybody left out
    afterwards, the groups would differ in more than the campaign.
    """
    lake = Lake(config.lake_root, config.catalog)
    result = _measure(spark, lake, config)
    row = spark.createDataFrame([result], schema=CAMPAIGN_RESULTS.columns)
    window = f"window_end = TIMESTAMP'{result.window_end.isoformat()}'"
    lake.replace_at_last(spark, CAMPAIGN_RESULTS, row, where=f"campaign = '{config.campaign}' AND {window}")
    return {name: value for name, value in result._asdict().items() if name in _TOLD}


def _measure(spark: SparkSession, lake: Lake, config: Config) -> CampaignResult:
    audiences, orders = lake.read(spark, AUDIENCES), lake.read(spark, ORDERS)
    members = audiences.where(F.col("campaign") == config.campaign)
    drawn = _drawn(members)
    if drawn["customers"] == 0:
        raise _missing(audiences, config.campaign)
    last_export, orders_until = instant(drawn["exported_at"]), _newest(orders)
    assert last_export is not None  # noqa: S101 - every export has its time
    window = Window(config.response_days, last_export + dt.timedelta(days=config.response_days), orders_until)
    bought = responses(members, lake.read(spark, CUSTOMERS), orders, days=config.response_days).collect()
    groups = {row["is_held_out"]: _group(row) for row in bought}
    share = drawn["least"] if drawn["shares"] == drawn["customers"] and drawn["least"] == drawn["most"] else None
    return result_of(
        config.campaign,
        window,
        share=share,
        written_to=groups.get(False, Group()),
        held_out=groups.get(True, Group()),
        measured_at=dt.datetime.now(dt.UTC),
    )


def _drawn(members: DataFrame) -> Row:
    """How many are in the campaign, when the last of them were exported, and what shares they were drawn with."""
    # A table that an earlier version made, and that nobody has exported to since, doesn't say.
    share = F.col("held_out_share") if "held_out_share" in members.columns else F.lit(None).cast("double")
    return members.agg(
        F.count("*").alias("customers"),
        F.unix_micros(F.max("exported_at")).alias("exported_at"),
        F.count(share).alias("shares"),
        F.min(share).alias("least"),
        F.max(share).alias("most"),
    ).collect()[0]


def _newest(orders: DataFrame) -> dt.datetime | None:
    return instant(orders.agg(F.unix_micros(F.max("ordered_at")).alias("newest")).collect()[0]["newest"])


def _group(row: Row) -> Group:
    return Group(row["customers"], row["buyers"], int(row["cents"]), int(row["square_cents"]))


def _missing(audiences: DataFrame, campaign: str) -> MissingCampaignError:
    newest = audiences.groupBy("campaign").agg(F.max("exported_at").alias("at")).orderBy(F.desc("at")).limit(_NAMED)
    known = ", ".join(row["campaign"] for row in newest.collect()) or "none"
    return MissingCampaignError(
        f"--campaign must be one that was exported, the newest are {known}; found {campaign!r}: "
        f"run export_audience first"
    )


def main(argv: Sequence[str] | None = None) -> None:
    run_job("measure_campaign", Config, run, argv)


if __name__ == "__main__":
    main()
