import datetime as dt

import pytest
from pyspark.sql import SparkSession
from sklearn.metrics import adjusted_rand_score

from spark_jobs.errors import MissingPartitionError
from spark_jobs.jobs import assign_segments, train_kmeans
from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMER_SEGMENTS, RFM
from tests.spark_jobs.bookstore import frame, rfm_row, store
from tests.spark_jobs.segmentation.groups import GROUPS, planted

D = dt.date(2026, 1, 31)
DAY = dt.timedelta(days=1)


def test_the_champion_gives_every_customer_of_the_partition_a_cluster(spark: SparkSession, lake: Lake) -> None:
    values, group = planted(*GROUPS, each=30)
    rows = [
        rfm_row(day, number, int(days), int(orders), f"{money:.2f}")
        for day in (D - DAY, D)
        for number, (days, orders, money) in enumerate(values.tolist())
    ]
    store(lake, RFM, frame(spark, RFM, rows))

    skipped = assign_segments.run(spark, assign_segments.Config(lake.root, D))
    assert skipped == {"snapshot_date": D, "skipped": "no champion model yet: run train_kmeans first"}
    assert not lake.exists(spark, CUSTOMER_SEGMENTS)

    version = train_kmeans.run(spark, train_kmeans.Config(lake.root))["model_version"]
    for day in (D, D - DAY, D):
        result = assign_segments.run(spark, assign_segments.Config(lake.root, day))
        assert result == {"snapshot_date": day, "rows": 120, "model_version": version}

    segments = lake.read(spark, CUSTOMER_SEGMENTS).orderBy("snapshot_date", "customer_id").collect()
    assert [(row.snapshot_date, row.customer_id) for row in segments] == [
        (r["snapshot_date"], r["customer_id"]) for r in rows
    ]
    assert {(row.rfm_segment, row.model_version) for row in segments} == {("Champions", version)}
    assert all(0 < row.confidence <= 1 for row in segments)
    assert adjusted_rand_score([*group, *group], [row.cluster_id for row in segments]) == 1.0

    with pytest.raises(MissingPartitionError, match="run aggregate_rfm --snapshot_date=2026-02-01 first"):
        assign_segments.run(spark, assign_segments.Config(lake.root, D + DAY))
