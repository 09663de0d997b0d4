"""A model applied to customers in Spark, as plain column expressions."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.segmentation.model import Cluster, Model


def assigned(rfm: DataFrame, model: Model) -> DataFrame:
    """Gives every customer of an RFM partition the cluster with the nearest centre.

    `confidence` is 1 - (distance to the own centre / distance to the second nearest): 1 at the centre, 0 half-way to
    the other. Distances are on the model's scale. Of two clusters equally near, the lower id wins.

    Returns:
        The columns of `gold.customer_segments`.
    """
    scaled = {f"scaled_{position}": column for position, column in enumerate(model.scaling.columns())}
    by_distance = F.array_sort(F.array(*[_candidate(cluster) for cluster in model.clusters]))
    nearest, second = F.col("by_distance")[0], F.col("by_distance")[1]
    return (
        rfm.withColumns(scaled)
        .withColumn("by_distance", by_distance)
        .select(
            "snapshot_date",
            "customer_id",
            nearest["cluster_id"].alias("cluster_id"),
            nearest["cluster_name"].alias("cluster_name"),
            (1 - nearest["distance"] / second["distance"]).alias("confidence"),
            "rfm_segment",
            F.lit(model.version).alias("model_version"),
        )
    )


def sizes(rfm: DataFrame, model: Model) -> tuple[int, ...]:
    """Customers of an RFM partition per cluster, in the model's order of clusters."""
    counted = assigned(rfm, model).groupBy("cluster_id").count().collect()
    found = {row["cluster_id"]: row["count"] for row in counted}
    return tuple(found.get(cluster.cluster_id, 0) for cluster in model.clusters)


def _candidate(cluster: Cluster) -> Column:
    squares = [(F.col(f"scaled_{position}") - number) ** 2 for position, number in enumerate(cluster.centre)]
    distance = F.sqrt(sum(squares[1:], start=squares[0]))
    return F.struct(
        distance.alias("distance"),
        F.lit(cluster.cluster_id).alias("cluster_id"),
        F.lit(cluster.name).alias("cluster_name"),
    )
