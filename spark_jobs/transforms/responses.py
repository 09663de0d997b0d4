"""What the customers of a campaign bought after it, in both of its groups."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.transforms.rfm import counts

_MICROSECONDS_A_DAY = 86_400_000_000


def responses(members: DataFrame, customers: DataFrame, orders: DataFrame, *, days: int) -> DataFrame:
    """Each group's customers, buyers, and sums of what each customer spent; whoever bought nothing counts as zero.

    Args:
        members: Rows of `gold.audiences` of one campaign.
        customers: `silver.customers`; orders of anybody else don't count.
        orders: `silver.orders`.
        days: An order counts that is younger than a customer's export by less than this.

    Returns:
        A row of `is_held_out`, `customers`, `buyers`, `cents`, `square_cents` for each group that has customers.
    """
    exported = members.select("customer_id", "is_held_out", "exported_at")
    spent = (
        orders.where(counts())
        .join(exported, on="customer_id")
        .where(_within(days))
        .join(customers.select("customer_id"), on="customer_id", how="left_semi")
        .groupBy("customer_id")
        .agg((F.sum("net_amount") * 100).cast("decimal(19,0)").alias("cents"))
    )
    return (
        exported.join(spent, on="customer_id", how="left")
        .groupBy("is_held_out")
        .agg(
            F.count("*").alias("customers"),
            F.count("cents").alias("buyers"),
            # Whole numbers, so that the same orders give the same result in whatever order they are added up.
            F.coalesce(F.sum("cents"), F.lit(0)).alias("cents"),
            F.coalesce(F.sum(F.col("cents") * F.col("cents")), F.lit(0)).alias("square_cents"),
        )
    )


def _within(days: int) -> Column:
    """From the export on, in days of 24 hours whatever the session's time zone."""
    elapsed = F.unix_micros("ordered_at") - F.unix_micros("exported_at")
    return (elapsed >= 0) & (elapsed < days * _MICROSECONDS_A_DAY)
