"""Models in the lake: `gold.kmeans_models`, of which one is the champion, and `gold.segment_profiles`."""

import datetime as dt

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.lake import Lake
from spark_jobs.segmentation.challenger import Challenger
from spark_jobs.segmentation.champion import Verdict
from spark_jobs.segmentation.model import Model
from spark_jobs.tables import KMEANS_MODELS, SEGMENT_PROFILES

_CENTS = 2


def read_champion(spark: SparkSession, lake: Lake) -> Model | None:
    """The model in force; None before the first training."""
    if not lake.exists(spark, KMEANS_MODELS):
        return None
    row = lake.read(spark, KMEANS_MODELS).where("is_champion").select("model").first()
    return Model.from_json(row["model"]) if row else None


def write_model(
    spark: SparkSession, lake: Lake, challenger: Challenger, verdict: Verdict, trained_at: dt.datetime
) -> None:
    """Stores a trained model and its profiles; a model that is stored already keeps its row, with the new verdict."""
    version = challenger.model.version
    # Profiles first: whoever sees the model finds them.
    lake.replace(spark, SEGMENT_PROFILES, _profiles(spark, challenger), where=f"model_version = '{version}'")
    lake.create(spark, KMEANS_MODELS)
    _row(spark, challenger, verdict, trained_at).createOrReplaceTempView("challenger")
    # One statement and so one commit, which also dethrones whoever is champion by then: there is never more than one.
    spark.sql(
        f"""MERGE INTO delta.`{lake.path(KMEANS_MODELS)}` AS stored USING challenger
            ON stored.model_version = challenger.model_version
            WHEN MATCHED THEN UPDATE SET is_champion = challenger.is_champion, verdict = challenger.verdict
            WHEN NOT MATCHED THEN INSERT *
            WHEN NOT MATCHED BY SOURCE AND stored.is_champion AND {verdict.is_champion}
                THEN UPDATE SET is_champion = false"""
    )


def _profiles(spark: SparkSession, challenger: Challenger) -> DataFrame:
    model = challenger.model
    rows = [
        (model.version, cluster.cluster_id, cluster.name, size, *[round(number, _CENTS) for number in typical])
        for cluster, size, typical in zip(
            model.clusters, challenger.sizes, model.typical_customers.tolist(), strict=True
        )
    ]
    return spark.createDataFrame(rows, schema=SEGMENT_PROFILES.columns)


def _row(spark: SparkSession, challenger: Challenger, verdict: Verdict, trained_at: dt.datetime) -> DataFrame:
    model = challenger.model
    row = (
        *(model.version, trained_at, model.snapshot_date, challenger.customers, len(model.clusters), model.seed),
        *(challenger.silhouette, challenger.inertia, model.to_json(), verdict.is_champion, verdict.reason),
    )
    return spark.createDataFrame([row], schema=KMEANS_MODELS.columns)
