import datetime as dt

import pytest
from pyspark.sql import SparkSession

from spark_jobs.errors import ArgumentError, MissingPartitionError
from spark_jobs.jobs.export_audience import Config, run
from spark_jobs.lake import Lake
from spark_jobs.tables import AUDIENCES, CUSTOMERS, RFM
from tests.spark_jobs.bookstore import Row, frame, rfm_row, store

D = dt.date(2026, 1, 31)
DAY = dt.timedelta(days=1)
EVERYBODY = range(1, 401)


def customer(number: int) -> Row:
    """Every fourth says no to marketing, and some say nothing."""
    consent = None if number % 40 == 1 else number % 4 != 0
    return {"customer_id": number, "email": f"{number}@example.org", "marketing_consent": consent}


def in_segment(day: dt.date, number: int) -> Row:
    """Half of them bought within the month before."""
    return {**rfm_row(day, number, 60 * (number % 2), 1, "5.00"), "rfm_segment": "At Risk"}


AGREED = {number for number in EVERYBODY if number % 4 and number % 40 != 1}


def test_a_campaign_has_each_customer_once_and_the_same_ones_are_held_out(spark: SparkSession, lake: Lake) -> None:
    store(lake, CUSTOMERS, frame(spark, CUSTOMERS, map(customer, EVERYBODY)))
    rows = [in_segment(D, number) for number in EVERYBODY if number <= 200]
    rows += [in_segment(D + DAY, number) for number in EVERYBODY if number > 100]
    store(lake, RFM, frame(spark, RFM, [*rows, rfm_row(D, 401, 1, 1, "5.00")]))

    first = run(spark, Config(lake.root, "spring-2026", "At Risk", D, held_out_share=0.25))
    members = groups(spark, lake, "spring-2026")
    with pytest.raises(ArgumentError, match=r"--held_out_share must be 0\.25, which spring-2026 was drawn with before"):
        run(spark, Config(lake.root, "spring-2026", "At Risk", D, held_out_share=0.5))
    again = run(spark, Config(lake.root, "spring-2026", "At Risk", D, held_out_share=0.25))

    assert set(members) == {number for number in AGREED if number <= 200}
    assert again == first
    assert groups(spark, lake, "spring-2026") == members
    held_out = sum(members.values())
    assert (first["rows"], first["held_out"]) == (len(members) - held_out, held_out)
    assert 0.15 < held_out / len(members) < 0.35
    recent = sum(number % 2 == 0 for number in members) / len(members)
    spread = (recent * (1 - recent) * (1 / first["rows"] + 1 / held_out)) ** 0.5
    assert first["smallest_effect"] == pytest.approx(2.8016 * spread, abs=1e-4)

    written = {number for number, is_held_out in members.items() if not is_held_out}
    path = first["path"]
    assert path == f"{lake.root}/audiences/spring-2026/2026-01-31"
    csv = spark.read.option("header", True).csv(f"{path}/csv").collect()
    assert [row.email for row in csv] == [f"{number}@example.org" for number in sorted(written)]
    assert {row.customer_id for row in spark.read.parquet(f"{path}/parquet").collect()} == written

    second = run(spark, Config(lake.root, "spring-2026", "At Risk", held_out_share=0.25))
    later = groups(spark, lake, "spring-2026")
    assert set(later) == AGREED
    assert members.items() <= later.items()
    assert second["snapshot_date"] == D + DAY
    assert second["rows"] + second["held_out"] == len(later) - len(members)

    run(spark, Config(lake.root, "summer-2026", "At Risk", held_out_share=0.25))
    assert groups(spark, lake, "summer-2026") != {number: later[number] for number in AGREED if number > 100}


def groups(spark: SparkSession, lake: Lake, campaign: str) -> dict[int, bool]:
    """Who is in the campaign, and whether they are held out."""
    rows = lake.read(spark, AUDIENCES).where(f"campaign = '{campaign}'").collect()
    assert len({row.customer_id for row in rows}) == len(rows)
    return {row.customer_id: row.is_held_out for row in rows}


def test_nobody_to_write_to_is_a_reason_and_a_missing_partition_an_error(spark: SparkSession, lake: Lake) -> None:
    store(lake, CUSTOMERS, frame(spark, CUSTOMERS, [customer(4)]))
    store(lake, RFM, frame(spark, RFM, [in_segment(D, 4)]))

    store(lake, AUDIENCES, frame(spark, AUDIENCES, []).drop("held_out_share"))  # as an earlier version made it

    result = run(spark, Config(lake.root, "spring-2026", "At Risk", D))

    assert lake.read(spark, AUDIENCES).columns[-1] == "held_out_share"
    assert (result["rows"], result["held_out"]) == (0, 0)
    assert result["skipped"] == "nobody of the segment agreed to marketing and is new to the campaign"
    with pytest.raises(MissingPartitionError, match="run aggregate_rfm --snapshot_date=2026-02-01 first"):
        run(spark, Config(lake.root, "spring-2026", "At Risk", D + DAY))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"campaign": "../bronze"}, "--campaign must be small letters, digits and hyphens, at most 63, found"),
        ({"segment": "Everybody"}, "--segment must be one of About To Sleep, At Risk, .* found 'Everybody'"),
        ({"held_out_share": 1.0}, r"--held_out_share must be from 0 to below 1, found 1\.0"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, str], message: str) -> None:
    usual = {"campaign": "spring-2026", "segment": "At Risk"}
    with pytest.raises(ArgumentError, match=message):
        Config("file:/nowhere", **(usual | arguments))  # type: ignore[arg-type]
