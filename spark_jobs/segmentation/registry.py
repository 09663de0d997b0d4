"""Models in the lake: `gold.kmeans_models`, of which one is the champion, and `gold.segment_profiles`.

Which of them is champion is in one table and changes in one commit, so that there is never more than one, and none only
before the first.
"""

import datetime as dt

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.errors import JobError
from spark_jobs.lake import Lake
from spark_jobs.segmentation.challenger import Challenger
from spark_jobs.segmentation.champion import Verdict
from spark_jobs.segmentation.model import Model
from spark_jobs.tables import KMEANS_MODELS, RFM, SEGMENT_PROFILES

TRAINING = "train_kmeans"
"""Who has decided where nobody had to."""
_CENTS = 2
_NAMED = 5


def read_champion(spark: SparkSession, lake: Lake) -> Model | None:
    """The model in force; None before the first training."""
    if not lake.exists(spark, KMEANS_MODELS):
        return None
    row = lake.read(spark, KMEANS_MODELS).where("is_champion").select("model").first()
    return Model.from_json(row["model"]) if row else None


def read_sizes(spark: SparkSession, lake: Lake, model: Model) -> list[int]:
    """Customers per cluster of the partition that a model was trained on, in its order of clusters."""
    profiles = lake.read(spark, SEGMENT_PROFILES).where(F.col("model_version") == model.version)
    return [row["size"] for row in profiles.orderBy("cluster_id").select("size").collect()]


def write_model(
    spark: SparkSession, lake: Lake, challenger: Challenger, verdict: Verdict, trained_at: dt.datetime
) -> None:
    """Stores a trained model and its profiles; a model that is stored already keeps its row, with the new verdict."""
    version = challenger.model.version
    # Profiles first: whoever sees the model finds them.
    lake.replace(spark, SEGMENT_PROFILES, _profiles(spark, challenger), where=f"model_version = '{version}'")
    lake.extend(spark, KMEANS_MODELS)
    data_version = lake.version(spark, RFM)  # with the partition, it names the rows that the model was trained on
    _row(spark, challenger, verdict, trained_at, data_version).createOrReplaceTempView("challenger")
    decided = ("is_champion", "verdict", "awaits_approval", "champion_since", "decided_by")
    # One statement and so one commit, which also dethrones whoever is champion by then: there is never more than one.
    spark.sql(
        f"""MERGE INTO delta.`{lake.path(KMEANS_MODELS)}` AS stored USING challenger
            ON stored.model_version = challenger.model_version
            WHEN MATCHED THEN UPDATE SET {", ".join(f"{name} = challenger.{name}" for name in decided)}
            WHEN NOT MATCHED THEN INSERT *
            WHEN NOT MATCHED BY SOURCE AND stored.is_champion AND {verdict.is_champion}
                THEN UPDATE SET is_champion = false"""
    )


def crown(
    spark: SparkSession, lake: Lake, model_version: str, *, reason: str, decided_by: str, now: dt.datetime
) -> None:
    """Makes a stored model champion instead of the present one, in one commit."""
    lake.extend(spark, KMEANS_MODELS)
    decided = {
        "is_champion": F.lit(True),
        "awaits_approval": F.lit(False),
        "champion_since": F.lit(now.isoformat()).cast("timestamp"),
        "verdict": F.lit(reason),
        "decided_by": F.lit(decided_by),
    }
    target = lake.name(KMEANS_MODELS)
    chosen = spark.range(1).select(F.lit(model_version).alias("model_version")).alias("chosen")
    merge = chosen.mergeInto(target, F.expr(f"{target}.model_version = chosen.model_version"))
    merge = merge.whenMatched().update(decided)
    merge.whenNotMatchedBySource(F.expr(f"{target}.is_champion")).update({"is_champion": F.lit(False)}).merge()


def find_version(spark: SparkSession, lake: Lake, model_version: str) -> str:
    """The version that was asked for; of an empty one, the champion before the present one.

    Raises:
        JobError: There is no such model.
    """
    models = lake.read(spark, KMEANS_MODELS)
    if not model_version:
        return _champion_before(models)
    if models.where(F.col("model_version") == model_version).isEmpty():
        newest = models.orderBy(F.desc("trained_at")).limit(_NAMED).select("model_version").collect()
        known = ", ".join(row["model_version"] for row in newest)
        raise JobError(f"--model_version must be one of gold.kmeans_models, e.g. {known}; found {model_version!r}")
    return model_version


def _champion_before(models: DataFrame) -> str:
    since = F.col("champion_since") if "champion_since" in models.columns else F.lit(None)
    earlier = models.where(~F.col("is_champion") & since.isNotNull()).orderBy(since.desc())
    row = earlier.select("model_version").first()
    if row is None:
        raise JobError(
            "going back needs a model that was champion before the present one, and there is none: "
            "pass a --model_version of gold.kmeans_models"
        )
    return str(row["model_version"])


def _profiles(spark: SparkSession, challenger: Challenger) -> DataFrame:
    model = challenger.model
    rows = [
        (model.version, cluster.cluster_id, cluster.name, size, *[round(number, _CENTS) for number in typical])
        for cluster, size, typical in zip(
            model.clusters, challenger.sizes, model.typical_customers.tolist(), strict=True
        )
    ]
    return spark.createDataFrame(rows, schema=SEGMENT_PROFILES.columns)


def _row(
    spark: SparkSession, challenger: Challenger, verdict: Verdict, trained_at: dt.datetime, data_version: int
) -> DataFrame:
    model = challenger.model
    row = (
        *(model.version, trained_at, model.snapshot_date, challenger.customers, len(model.clusters), model.seed),
        *(challenger.silhouette, challenger.inertia, model.to_json(), verdict.is_champion, verdict.reason),
        *(data_version, challenger.moved_share, verdict.awaits_approval),
        *((trained_at, TRAINING) if verdict.is_champion else (None, None)),
    )
    return spark.createDataFrame([row], schema=KMEANS_MODELS.columns)
