import datetime as dt
import re

import pytest
from pyspark.sql import SparkSession

from spark_jobs.campaigns.results import read_results
from spark_jobs.campaigns.uplift import Group, rate_uplift, revenue_uplift, sample_ratio_p
from spark_jobs.errors import ArgumentError, MissingCampaignError, MissingTableError
from spark_jobs.jobs.measure_campaign import Config, run
from spark_jobs.lake import Lake
from spark_jobs.tables import AUDIENCES, CAMPAIGN_RESULTS, CUSTOMERS, ORDERS
from tests.spark_jobs.bookstore import Row, customers, frame, order, orders, store

FIRST = dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC)
SECOND = FIRST + dt.timedelta(days=7)


def member(number: int, *, held_out: bool, exported_at: dt.datetime = FIRST, campaign: str = "spring") -> Row:
    drawn = {"is_held_out": held_out, "exported_at": exported_at, "held_out_share": 0.4}
    return {"campaign": campaign, "customer_id": number, "segment": "At Risk", **drawn}


MEMBERS = [
    *[member(number, held_out=False) for number in (1, 2, 3)],
    *[member(number, held_out=True) for number in (4, 5)],
    member(6, held_out=False, exported_at=SECOND),
    member(1, held_out=True, campaign="summer"),
]
ORDERS_MADE = [
    order("O-1", 1, "2026-01-31T10:00:00", "10.00"),  # the very moment of the export
    order("O-2", 1, "2026-02-09T09:59:59", "2.50", "returned"),  # a part was kept, in the last second of ten days
    order("O-3", 2, "2026-01-31T09:59:59", "50.00"),  # before it
    order("O-4", 2, "2026-02-10T10:00:00", "50.00"),  # after them
    order("O-5", 3, "2026-02-01T00:00:00", "50.00", "cancelled"),
    order("O-6", 4, "2026-02-05T00:00:00", "4.00"),
    order("O-7", 6, "2026-02-06T00:00:00", "50.00"),  # after the first export, before this customer's own
    order("O-8", 6, "2026-02-16T00:00:00", "8.00"),
    order("O-9", 9, "2026-02-05T00:00:00", "50.00"),  # not in the campaign
    order("O-10", 5, "2026-02-05T00:00:00", "50.00"),  # no longer a customer
]
WRITTEN_TO = Group(4, 2, 20_50, 12_50**2 + 8_00**2)
HELD_OUT = Group(2, 1, 4_00, 4_00**2)
VERDICT = (
    "no effect on the share of buyers is shown: +0.0 percentage points, with 95% confidence between -53.6 and +53.6; "
    "not final: the window ends 2026-02-17 10:00 UTC and orders are known until 2026-02-16 00:00 UTC"
)


def test_both_groups_are_measured_from_each_customers_own_export_on(spark: SparkSession, lake: Lake) -> None:
    store(lake, CUSTOMERS, customers(spark, 1, 2, 3, 4, 6, 9))
    store(lake, ORDERS, orders(spark, ORDERS_MADE))
    store(lake, AUDIENCES, frame(spark, AUDIENCES, MEMBERS))

    first = run(spark, Config(lake.root, "spring", response_days=10))
    again = run(spark, Config(lake.root, "spring", response_days=10))

    assert again == first
    (row,) = read_results(lake.read(spark, CAMPAIGN_RESULTS))
    assert (first["window_end"], first["verdict"]) == (row.window_end, row.verdict)
    assert tuple(row) == (
        *("spring", SECOND + dt.timedelta(days=10), 10, dt.datetime(2026, 2, 16, tzinfo=dt.UTC), False, 0.4),
        *(4, 2, 0.5, 5.125, 2, 1, 0.5, 2.0),
        *(rate_uplift(WRITTEN_TO, HELD_OUT) or ()),
        *(revenue_uplift(WRITTEN_TO, HELD_OUT) or ()),
        *(sample_ratio_p(4, 2, 0.4), False),
        VERDICT,
        row.measured_at,
    )


@pytest.mark.full
def test_an_audience_of_an_earlier_version_has_no_share_to_check(spark: SparkSession, lake: Lake) -> None:
    members = frame(spark, AUDIENCES, [member(1, held_out=False), member(2, held_out=True)])
    store(lake, AUDIENCES, members.drop("held_out_share"))
    store(lake, CUSTOMERS, customers(spark, 1, 2))
    with pytest.raises(MissingTableError, match=r"silver\.orders is required"):
        run(spark, Config(lake.root, "spring"))
    store(lake, ORDERS, orders(spark, []))

    result = run(spark, Config(lake.root, "spring"))

    assert re.search("no one share is known .* not final: .* and no order is known$", str(result["verdict"]))
    (row,) = read_results(lake.read(spark, CAMPAIGN_RESULTS))
    assert (row.held_out_share, row.sample_ratio_p, row.orders_until) == (None, None, None)
    assert (row.written_to_rate, row.revenue_uplift) == (0.0, None)
    assert (row.response_days, row.window_end) == (30, FIRST + dt.timedelta(days=30))
    with pytest.raises(MissingCampaignError, match="one that was exported, the newest are spring; found 'autumn': run"):
        run(spark, Config(lake.root, "autumn"))


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"--campaign must be small letters, .* found 'x OR true'"):
        Config("file:/nowhere", "x OR true")
    with pytest.raises(ArgumentError, match="--response_days must be at least 1, found 0"):
        Config("file:/nowhere", "spring", response_days=0)
