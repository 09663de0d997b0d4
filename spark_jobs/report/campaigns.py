"""Reads what the page says about campaigns."""

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.campaigns.results import CampaignResult, read_results
from spark_jobs.lake import Lake
from spark_jobs.tables import CAMPAIGN_RESULTS

NEWEST = 10


def read_campaigns(spark: SparkSession, lake: Lake) -> tuple[CampaignResult, ...]:
    """The results that were measured last, whatever the date of the page."""
    results = lake.find(spark, CAMPAIGN_RESULTS)
    if results is None:
        return ()
    return tuple(read_results(results.orderBy(F.desc("measured_at"), "campaign").limit(NEWEST)))
