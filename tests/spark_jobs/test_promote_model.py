"""Going back to an earlier model, and approving one: which is champion is one commit."""

import datetime as dt

import pytest
from pyspark.sql import SparkSession

from spark_jobs.errors import JobError
from spark_jobs.jobs import train_kmeans
from spark_jobs.jobs.promote_model import Config, run
from spark_jobs.lake import Lake
from spark_jobs.tables import KMEANS_MODELS, RFM
from tests.spark_jobs.bookstore import frame, store
from tests.spark_jobs.segmentation.groups import GROUPS
from tests.spark_jobs.test_train_kmeans import FEBRUARY, JANUARY, champions, count_commits, rfm_rows


def test_going_back_and_approving_make_another_model_champion_in_one_commit(spark: SparkSession, lake: Lake) -> None:
    asked_before = dt.datetime.now(dt.UTC).isoformat()
    rows = [*rfm_rows(JANUARY, *GROUPS), *rfm_rows(FEBRUARY, *GROUPS, each=40)]
    store(lake, RFM, frame(spark, RFM, rows))
    january = train_kmeans.run(spark, train_kmeans.Config(lake.root, JANUARY))["model_version"]
    with pytest.raises(JobError, match="champion before the present one, and there is none"):
        run(spark, Config(lake.root))
    february = train_kmeans.run(spark, train_kmeans.Config(lake.root))["model_version"]
    worse = train_kmeans.run(spark, train_kmeans.Config(lake.root, k=8))["model_version"]
    commits = count_commits(spark, lake)

    # The request is older than what the training of February decided.
    assert run(spark, Config(lake.root, requested_at=asked_before)) == {
        "model_version": february,
        "skipped": f"{february} became champion after this was asked for",
    }
    asked = dt.datetime.now(dt.UTC).isoformat()
    back = Config(lake.root, decided_by="Ada", requested_at=asked)
    verdict = f"champion: gone back to by Ada, instead of {february}"
    assert run(spark, back) == {"model_version": january, "instead_of": february, "verdict": verdict}
    assert run(spark, back)["skipped"] == f"{january} became champion after this was asked for"
    assert champions(spark, lake) == [january]
    assert count_commits(spark, lake) == commits + 1

    approved = run(spark, Config(lake.root, worse, decided_by="Ada"))
    assert approved["verdict"] == f"champion: approved by Ada, instead of {january}"
    assert run(spark, Config(lake.root, worse))["skipped"] == f"{worse} is champion already"
    row = lake.read(spark, KMEANS_MODELS).where("is_champion").select("awaits_approval", "decided_by").collect()
    assert [tuple(one) for one in row] == [(False, "Ada")]
    assert run(spark, Config(lake.root))["model_version"] == january
    with pytest.raises(JobError, match=rf"--model_version must be one of gold.kmeans_models, e.g. .*{worse}.* 'v0'"):
        run(spark, Config(lake.root, "v0"))


@pytest.mark.full
def test_models_that_an_earlier_version_stored_can_become_champion(spark: SparkSession, lake: Lake) -> None:
    store(lake, RFM, frame(spark, RFM, rfm_rows(JANUARY, *GROUPS)))
    first = train_kmeans.run(spark, train_kmeans.Config(lake.root))["model_version"]
    other = train_kmeans.run(spark, train_kmeans.Config(lake.root, k=8))["model_version"]
    new = ("data_version", "moved_share", "awaits_approval", "champion_since", "decided_by")
    old = lake.read(spark, KMEANS_MODELS).drop(*new)
    old.write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(lake.path(KMEANS_MODELS))

    with pytest.raises(JobError, match="there is none"):
        run(spark, Config(lake.root, requested_at="2026-01-01T00:00:00+00:00"))
    assert run(spark, Config(lake.root, other))["instead_of"] == first
    assert champions(spark, lake) == [other]
