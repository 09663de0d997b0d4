import datetime as dt

import pytest
from pyspark.sql import SparkSession

from spark_jobs.entry import Result
from spark_jobs.errors import ArgumentError, JobError, MissingPartitionError, MissingTableError
from spark_jobs.jobs.train_kmeans import Config, run
from spark_jobs.lake import Lake
from spark_jobs.segmentation import features
from spark_jobs.tables import KMEANS_MODELS, RFM, SEGMENT_PROFILES
from tests.spark_jobs.bookstore import Row, frame, rfm_row, store
from tests.spark_jobs.segmentation.groups import CHAMPIONS, GROUPS, LAPSED, planted

JANUARY, FEBRUARY = dt.date(2026, 1, 31), dt.date(2026, 2, 28)


def rfm_rows(snapshot_date: dt.date, *groups: tuple[float, float, float], each: int = 30) -> list[Row]:
    values, _ = planted(*groups, each=each)
    return [
        rfm_row(snapshot_date, number, int(days), int(orders), f"{money:.2f}")
        for number, (days, orders, money) in enumerate(values.tolist())
    ]


def champions(spark: SparkSession, lake: Lake) -> list[str]:
    return [row.model_version for row in lake.read(spark, KMEANS_MODELS).where("is_champion").collect()]


def test_training_stores_models_of_which_one_is_champion(spark: SparkSession, lake: Lake) -> None:
    january = rfm_rows(JANUARY, *GROUPS)
    store(lake, RFM, frame(spark, RFM, january))
    first = run(spark, Config(lake.root))
    assert (first["snapshot_date"], first["customers"], first["k"]) == (JANUARY, 120, 4)
    assert (first["is_champion"], first["verdict"]) == (True, "champion: the first model")

    # The same rows stored in another way: nothing new, not even a commit.
    store(lake, RFM, frame(spark, RFM, january[::-1]).repartition(5))
    again = run(spark, Config(lake.root, JANUARY))
    assert again["model_version"] == first["model_version"]
    assert count_commits(spark, lake) == 2  # created, and the first model

    forced = run(spark, Config(lake.root, k=8))
    assert (forced["is_champion"], forced["awaits_approval"]) == (False, True)
    assert champions(spark, lake) == [first["model_version"]]

    store(lake, RFM, frame(spark, RFM, january + rfm_rows(FEBRUARY, *GROUPS, each=40)))
    newer = run(spark, Config(lake.root))
    assert newer["snapshot_date"] == FEBRUARY
    assert champions(spark, lake) == [newer["model_version"]]
    rows = {row.model_version: row for row in lake.read(spark, KMEANS_MODELS).collect()}
    decided = {version: (row.data_version, row.awaits_approval, row.decided_by) for version, row in rows.items()}
    assert decided == {
        first["model_version"]: (0, False, "train_kmeans"),
        forced["model_version"]: (1, True, None),
        newer["model_version"]: (2, False, "train_kmeans"),
    }
    stored = {(row.model_version, row.k, row.customers) for row in lake.read(spark, KMEANS_MODELS).collect()}
    assert stored == {(result["model_version"], result["k"], result["customers"]) for result in (first, forced, newer)}
    assert profiles(spark, lake, newer) == [
        (0, "Active top-spending regulars", 40),
        (1, "Average buyers", 40),
        (2, "Long-lapsed buyers", 40),
        (3, "Active low-spending rare buyers", 40),
    ]


def count_commits(spark: SparkSession, lake: Lake) -> int:
    return spark.sql(f"DESCRIBE HISTORY delta.`{lake.path(KMEANS_MODELS)}`").count()


def profiles(spark: SparkSession, lake: Lake, result: Result) -> list[tuple[object, ...]]:
    rows = lake.read(spark, SEGMENT_PROFILES).where(f"model_version = '{result['model_version']}'")
    return sorted(tuple(row) for row in rows.select("cluster_id", "cluster_name", "size").collect())


def test_is_skipped_while_there_is_nothing_to_train_on(spark: SparkSession, lake: Lake) -> None:
    nothing = {"skipped": "gold.rfm has no partition to train on yet: run aggregate_rfm first"}
    assert run(spark, Config(lake.root)) == nothing
    with pytest.raises(MissingTableError, match=r"gold\.rfm is required"):
        run(spark, Config(lake.root, JANUARY))
    store(lake, RFM, frame(spark, RFM, []))
    assert run(spark, Config(lake.root)) == nothing
    assert not lake.exists(spark, KMEANS_MODELS)


def test_too_few_customers_are_a_reason_to_skip_and_too_many_clusters_an_error(spark: SparkSession, lake: Lake) -> None:
    twins = [rfm_row(JANUARY, number, 3 + number % 2, 2, "10.00") for number in range(6)]
    store(lake, RFM, frame(spark, RFM, twins))

    assert run(spark, Config(lake.root)) == {
        "snapshot_date": JANUARY,
        "customers": 6,
        "skipped": "2 clusters need more than 2 customers who differ, found 2",
    }
    with pytest.raises(JobError, match=r"--k=2 needs more than 2 customers who differ, found 2: pass a smaller --k"):
        run(spark, Config(lake.root, k=2))
    with pytest.raises(MissingPartitionError, match=r"partition 2026-02-28 of gold\.rfm is required and has no rows"):
        run(spark, Config(lake.root, FEBRUARY))
    assert not lake.exists(spark, KMEANS_MODELS)


def test_a_sample_stands_for_customers_that_are_too_many_for_one_node(
    spark: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rfm_rows(JANUARY, *GROUPS, each=500)
    store(lake, RFM, frame(spark, RFM, rows))
    of_all = run(spark, Config(lake.root))
    trained_on = inertia(spark, lake, of_all)

    monkeypatch.setattr(features, "ON_ONE_NODE", 1_999)
    monkeypatch.setattr(features, "SAMPLE", 1_000)
    of_some = run(spark, Config(lake.root))
    assert 0.45 < inertia(spark, lake, of_some) / trained_on < 0.55
    assert (of_some["customers"], of_some["k"], of_some["moved_share"]) == (2_000, 4, 0.0)
    assert profiles(spark, lake, of_some) == profiles(spark, lake, of_all)

    # Who is in the sample doesn't depend on how the rows are stored.
    store(lake, RFM, frame(spark, RFM, rows[::-1]).repartition(3))
    assert run(spark, Config(lake.root))["model_version"] == of_some["model_version"]


def inertia(spark: SparkSession, lake: Lake, result: Result) -> float:
    (row,) = lake.read(spark, KMEANS_MODELS).where(f"model_version = '{result['model_version']}'").collect()
    return float(row.inertia)


def test_a_given_k_is_kept_to(spark: SparkSession, lake: Lake) -> None:
    store(lake, RFM, frame(spark, RFM, rfm_rows(JANUARY, CHAMPIONS, LAPSED)))

    assert run(spark, Config(lake.root, k=3))["k"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 1}, "--k must be at least 2, found 1"),
        ({"k_min": 1}, "--k_min must be at least 2 and at most --k_max, found 1 and 8"),
        ({"k_min": 5, "k_max": 4}, "found 5 and 4"),
        ({"seed": -1}, "--seed must be from 0 to 2147483647, found -1"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Config("file:/nowhere", **arguments)  # type: ignore[arg-type]
