"""Who of a segment may be written to, and who of them is held out."""

import datetime as dt

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_PARTS = 10_000


def drawn_share(held_out_share: float) -> float:
    """The share that is in fact drawn with: in steps of a ten-thousandth."""
    return round(held_out_share * _PARTS) / _PARTS


def audience(
    customers: DataFrame,
    rfm: DataFrame,
    *,
    campaign: str,
    segment: str,
    held_out_share: float,
    exported_at: dt.datetime,
) -> DataFrame:
    """The segment's customers who agreed to marketing; a hash of campaign and customer decides who is held out.

    So it is always the same ones for a campaign, and other ones for the next.

    Args:
        customers: `silver.customers`.
        rfm: A partition of `gold.rfm`.
        campaign: Its id.
        segment: A name of `transforms.rfm.SEGMENTS`.
        held_out_share: From 0 to 1; see `drawn_share`.
        exported_at: Now.

    Returns:
        The columns of `gold.audiences`.
    """
    may_be_written_to = customers.where("marketing_consent").select("customer_id")
    drawn = F.pmod(F.xxhash64(F.lit(campaign), "customer_id"), F.lit(_PARTS)) < round(held_out_share * _PARTS)
    members = rfm.where(F.col("rfm_segment") == segment).join(may_be_written_to, on="customer_id")
    return members.select(
        F.lit(campaign).alias("campaign"),
        "customer_id",
        "snapshot_date",
        F.col("rfm_segment").alias("segment"),
        drawn.alias("is_held_out"),
        F.lit(exported_at).alias("exported_at"),
        F.lit(drawn_share(held_out_share)).alias("held_out_share"),
    )


def contacts(members: DataFrame, customers: DataFrame) -> DataFrame:
    """What the campaign's tool needs of those who are written to, if they still agree to it."""
    wanted = ["customer_id", "email", "first_name", "last_name", "city", "country"]
    agreed = customers.where("marketing_consent").select(*wanted)
    written_to = members.where(~F.col("is_held_out")).select("campaign", "customer_id", "segment")
    return written_to.join(agreed, on="customer_id").select("campaign", "customer_id", "segment", *wanted[1:])
