import datetime as dt
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyspark.sql import SparkSession

from spark_jobs.entry import Result
from spark_jobs.errors import MissingPartitionError
from spark_jobs.jobs.measure_drift import Config, run
from spark_jobs.lake import Lake
from spark_jobs.tables import CUSTOMER_SEGMENTS, DRIFT, RFM, SEGMENT_MIGRATIONS
from tests.spark_jobs.bookstore import Row, frame, rfm_row, store

D = dt.date(2026, 1, 31)
DAY = dt.timedelta(days=1)
CUSTOMERS = 400


def rfm_rows(day: dt.date, *, factor: float = 1.0) -> list[Row]:
    """Customers from 1 to 400 days ago, and all else alike; `factor` times as much money."""
    return [
        rfm_row(day, number, number, 1 + number % 7, f"{number * factor:.2f}") for number in range(1, CUSTOMERS + 1)
    ]


def labels(day: dt.date, clusters: dict[int, int], model: str = "m") -> list[Row]:
    return [
        {"snapshot_date": day, "customer_id": customer, "cluster_id": cluster, "cluster_name": f"C{cluster}",
         "model_version": model}
        for customer, cluster in clusters.items()
    ]  # fmt: skip


def measured(spark: SparkSession, lake: Lake, day: dt.date) -> Result:
    return run(spark, Config(lake.root, day))


def drift_rows(spark: SparkSession, lake: Lake) -> dict[tuple[dt.date, str], tuple[object, ...]]:
    rows = lake.read(spark, DRIFT).collect()
    assert len({(row.snapshot_date, row.feature) for row in rows}) == len(rows)
    return {(row.snapshot_date, row.feature): (row.earlier_date, round(row.psi, 4), row.is_alarm) for row in rows}


def migration_rows(spark: SparkSession, lake: Lake) -> list[tuple[object, ...]]:
    rows = lake.read(spark, SEGMENT_MIGRATIONS).collect()
    return sorted((r.from_date, r.to_date, r.from_cluster, r.to_cluster, r.customers, r.to_cluster_name) for r in rows)


def test_a_shifted_feature_is_told_and_alarms_and_the_others_do_not(spark: SparkSession, lake: Lake) -> None:
    store(lake, RFM, frame(spark, RFM, rfm_rows(D - 7 * DAY) + rfm_rows(D, factor=3)))

    result = measured(spark, lake, D)

    assert result == {"snapshot_date": D, "rows": 4, "earlier_date": D - 7 * DAY, "alarms": "monetary"}
    found = drift_rows(spark, lake)
    assert {feature: alarm for (_, feature), (_, _, alarm) in found.items()} == {
        "recency_days": False, "frequency": False, "monetary": True, "rfm_segment": False
    }  # fmt: skip
    assert found[D, "recency_days"] == (D - 7 * DAY, 0.0, False)
    row = lake.read(spark, DRIFT).where("feature = 'monetary'").collect()[0]
    assert (row.customers, row.earlier_customers, row.lookback_days, row.bins) == (CUSTOMERS, CUSTOMERS, 365, 10)
    # A third have what is now beyond the last tenth's edge: 0.1 became 1 - 0.9 / 3 = 0.7.
    assert row.psi > row.threshold


def test_without_an_earlier_partition_of_the_same_lookback_there_is_a_reason(spark: SparkSession, lake: Lake) -> None:
    other = [{**row, "lookback_days": 30} for row in rfm_rows(D - DAY)]
    store(lake, RFM, frame(spark, RFM, other + rfm_rows(D)))

    result = measured(spark, lake, D)

    reason = "gold.rfm has no partition before 2026-01-31 with the same look-back to compare it with"
    assert result == {"snapshot_date": D, "rows": 0, "skipped": reason}
    assert not lake.exists(spark, DRIFT)
    assert not lake.exists(spark, SEGMENT_MIGRATIONS)
    with pytest.raises(MissingPartitionError, match="run aggregate_rfm --snapshot_date=2026-02-01 first"):
        measured(spark, lake, D + DAY)


def test_migrations_are_of_adjacent_dates_under_one_model(spark: SparkSession, lake: Lake) -> None:
    store(lake, RFM, frame(spark, RFM, [*rfm_rows(D - DAY), *rfm_rows(D), *rfm_rows(D + DAY)]))
    first = {customer: customer % 2 for customer in range(1, CUSTOMERS + 1)}
    # 41 was 1 and is 0; the first 40 are gone, and one has come.
    second = {**{customer: first[customer] for customer in range(41, CUSTOMERS + 1)}, 41: 0, 500: 1}
    rows = labels(D - DAY, first) + labels(D, second) + labels(D + DAY, second, model="newer")
    store(lake, CUSTOMER_SEGMENTS, frame(spark, CUSTOMER_SEGMENTS, rows))

    for day in (D, D + DAY):
        measured(spark, lake, day)

    stayed = Counter(customer % 2 for customer in range(42, CUSTOMERS + 1))
    expected = [
        (D - DAY, D, 0, 0, stayed[0], "C0"),
        (D - DAY, D, 1, 0, 1, "C0"),
        (D - DAY, D, 1, 1, stayed[1], "C1"),
    ]
    assert migration_rows(spark, lake) == expected
    # 0.5 and 0.5 became 181 / 361 and 180 / 361.
    assert drift_rows(spark, lake)[D, "cluster_id"] == (D - DAY, 0.0, False)
    assert (D + DAY, "cluster_id") not in drift_rows(spark, lake)


@pytest.mark.full
def test_a_date_in_the_middle_corrects_both_neighbours_whatever_the_order(spark: SparkSession, lake: Lake) -> None:
    days = [D - DAY, D, D + DAY]
    clusters = [dict.fromkeys(range(10), number) for number in range(3)]
    of_days = [(day, own) for day, own in zip(days, clusters, strict=True)]

    def stored(*which: int) -> None:
        store(lake, RFM, frame(spark, RFM, [row for number in which for row in rfm_rows(days[number])]))
        rows = [row for number in which for row in labels(*of_days[number])]
        store(lake, CUSTOMER_SEGMENTS, frame(spark, CUSTOMER_SEGMENTS, rows))

    stored(0, 2)
    measured(spark, lake, days[2])
    assert migration_rows(spark, lake) == [(days[0], days[2], 0, 2, 10, "C2")]
    assert drift_rows(spark, lake)[days[2], "monetary"][0] == days[0]

    stored(0, 1, 2)
    measured(spark, lake, days[1])
    expected = [(days[0], days[1], 0, 1, 10, "C1"), (days[1], days[2], 1, 2, 10, "C2")]
    assert migration_rows(spark, lake) == expected
    assert {key: row[0] for key, row in drift_rows(spark, lake).items() if key[1] == "monetary"} == {
        (days[1], "monetary"): days[0],
        (days[2], "monetary"): days[1],
    }

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda day: measured(spark, lake, day), days))
    assert migration_rows(spark, lake) == expected
