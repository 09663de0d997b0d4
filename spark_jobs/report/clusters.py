"""Reads what the page says about the clusters, and about the model that made them."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.lake import Lake
from spark_jobs.report.content import ClusterCard, Clusters, ModelCard
from spark_jobs.report.customers import read_members, read_sample
from spark_jobs.segmentation.model import Model
from spark_jobs.tables import CUSTOMER_SEGMENTS, KMEANS_MODELS


def read_clusters(spark: SparkSession, lake: Lake, rfm: DataFrame, partition: str) -> Clusters | None:
    """The clusters of the partition that the condition selects; None where no model has labelled it."""
    if not lake.exists(spark, CUSTOMER_SEGMENTS):
        return None
    segments = lake.read(spark, CUSTOMER_SEGMENTS).where(partition)
    labelled = segments.select("model_version").first()
    if labelled is None:
        return None
    card = _read_model(lake.read(spark, KMEANS_MODELS), labelled["model_version"])
    members = read_members(rfm, segments)
    cards = []
    for cluster, typical in zip(card.model.clusters, card.model.typical_customers.tolist(), strict=True):
        group, confidence = members.get(cluster.cluster_id, (None, 0.0))
        cards.append(ClusterCard(cluster, group, confidence, typical))
    return Clusters(tuple(cards), read_sample(rfm, segments), card)


def _read_model(models: DataFrame, version: str) -> ModelCard:
    trained_at = F.date_format("trained_at", "yyyy-MM-dd HH:mm").alias("trained_at_text")
    row = models.where(F.col("model_version") == version).select("*", trained_at).collect()[0]
    return ModelCard(
        model=Model.from_json(row["model"]),
        version=version,
        trained_at=row["trained_at_text"],
        customers=row["customers"],
        silhouette=row["silhouette"],
        inertia=row["inertia"],
        is_champion=row["is_champion"],
        verdict=row["verdict"],
    )
