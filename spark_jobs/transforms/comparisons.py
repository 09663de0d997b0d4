"""Two partitions side by side: customers per bin and segment, and who moved from which cluster to which."""

import datetime as dt
from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

BINS = 10
"""Of each feature's values: the tenths of the earlier partition, fewer where many customers are equal."""


def cells(rfm: DataFrame, segments: DataFrame | None, *, features: Sequence[str], earlier: dt.date) -> DataFrame:
    """Counts the customers of two partitions in the same cells.

    Args:
        rfm: Two partitions of `gold.rfm`.
        segments: The same two of `gold.customer_segments`, where one model labelled both.
        features: The columns of `gold.rfm` to compare by bins of their values.
        earlier: The date of the one whose tenths are the bins.

    Returns:
        Columns `feature`, `cell`, `earlier_customers` and `customers`. RFM segment and cluster are features too.
    """
    each = [_binned(rfm, features, earlier), _named(rfm, "rfm_segment")]
    if segments is not None:
        each.append(_named(segments, "cluster_id"))
    stacked = each[0]
    for more in each[1:]:
        stacked = stacked.unionByName(more)
    is_earlier = F.col("snapshot_date") == F.lit(earlier)
    return stacked.groupBy("feature", "cell").agg(
        F.count_if(is_earlier).alias("earlier_customers"), F.count_if(~is_earlier).alias("customers")
    )


def migrations(segments: DataFrame, *, earlier: dt.date, later: dt.date) -> DataFrame:
    """How many customers of two partitions went from which cluster to which, or stayed.

    Args:
        segments: `gold.customer_segments`; the two partitions are of one model.
        earlier: The date of the first partition.
        later: The date of the second one.

    Returns:
        The columns of `gold.segment_migrations`. A customer of one partition alone is in no row.
    """
    before, after = (segments.where(F.col("snapshot_date") == F.lit(day)) for day in (earlier, later))
    both = before.select("customer_id", *_renamed("from")).join(
        after.select("customer_id", *_renamed("to"), "model_version"), on="customer_id"
    )
    return (
        both.groupBy("from_cluster", "to_cluster", "from_cluster_name", "to_cluster_name", "model_version")
        .agg(F.count("*").alias("customers"))
        .select(
            F.lit(earlier).alias("from_date"),
            F.lit(later).alias("to_date"),
            *["from_cluster", "to_cluster", "customers", "from_cluster_name", "to_cluster_name", "model_version"],
        )
    )


def _renamed(side: str) -> list[Column]:
    return [F.col("cluster_id").alias(f"{side}_cluster"), F.col("cluster_name").alias(f"{side}_cluster_name")]


def _binned(rfm: DataFrame, features: Sequence[str], earlier: dt.date) -> DataFrame:
    """One row per customer and feature, with the bin: how many of the earlier partition's tenths lie below."""
    tenths = F.array(*[F.lit(number / BINS) for number in range(1, BINS)])
    edges = [F.array_distinct(F.percentile_approx(name, tenths)).alias(f"{name}_edges") for name in features]
    bins = [
        F.struct(
            F.lit(name).alias("feature"),
            F.size(F.filter(f"{name}_edges", _below(name))).cast("string").alias("cell"),
        )
        for name in features
    ]
    edges_df = rfm.where(F.col("snapshot_date") == F.lit(earlier)).agg(*edges)
    return (
        rfm.crossJoin(F.broadcast(edges_df))
        .select("snapshot_date", F.explode(F.array(*bins)).alias("bin"))
        .select("snapshot_date", "bin.feature", "bin.cell")
    )


def _below(name: str) -> Callable[[Column], Column]:
    return lambda edge: edge < F.col(name)


def _named(rows: DataFrame, name: str) -> DataFrame:
    return rows.select("snapshot_date", F.lit(name).alias("feature"), F.col(name).cast("string").alias("cell"))
