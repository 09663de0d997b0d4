import datetime as dt
from decimal import Decimal

import pytest
from pyspark.sql import SparkSession

from spark_jobs.errors import MissingPartitionError
from spark_jobs.jobs import assign_segments, train_kmeans, write_report
from spark_jobs.lake import Lake
from spark_jobs.report.campaigns import read_campaigns
from spark_jobs.report.changes import read_drift, read_migrations
from spark_jobs.report.content import (
    EARLIER_CUSTOMERS,
    Commit,
    Drift,
    FeatureDrift,
    FieldChange,
    Group,
    Migrations,
    Move,
    Offer,
    SegmentValue,
    TableState,
    TopicFunnel,
    Value,
)
from spark_jobs.report.customers import read_cells, read_members, read_sample, read_segments
from spark_jobs.report.gaps import Gap, read_gaps
from spark_jobs.report.outlook import read_offers, read_value
from spark_jobs.report.pipeline import read_pipeline
from spark_jobs.tables import (
    BOOKS_HISTORY,
    CAMPAIGN_RESULTS,
    CUSTOMER_SEGMENTS,
    CUSTOMER_VALUE,
    DRIFT,
    INGEST_AUDIT,
    ORDER_EVENTS,
    ORDERS,
    QUARANTINE,
    RECOMMENDATIONS,
    REPORTS,
    RFM,
    RFM_THRESHOLDS,
    SCHEMA_CHANGES,
    SEGMENT_MIGRATIONS,
    VALUE_MODELS,
)
from tests.spark_jobs.bookstore import Row, frame, order, orders, rfm_row, store
from tests.spark_jobs.report.contents import CAMPAIGNS
from tests.spark_jobs.report.reading import text_of
from tests.spark_jobs.segmentation.groups import GROUPS, planted

D = dt.date(2026, 1, 31)
AT = dt.datetime(2026, 1, 31, 22, 15, tzinfo=dt.UTC)


def scored(row: Row, r: int, f: int, segment: str) -> Row:
    return {**row, "r_score": r, "f_score": f, "rfm_segment": segment}


RFM_ROWS = [
    scored(rfm_row(D, 1, 1, 10, "100.10"), 5, 5, "Champions"),
    scored(rfm_row(D, 2, 3, 20, "200.20"), 5, 5, "Champions"),
    scored(rfm_row(D, 3, 5, 30, "300.30"), 5, 4, "Champions"),
    scored(rfm_row(D, 4, 200, 1, "9.99"), 1, 1, "Hibernating"),
]


def test_segments_and_cells_are_exact_and_the_largest_revenue_comes_first(spark: SparkSession) -> None:
    rfm_df = frame(spark, RFM, RFM_ROWS)

    total, segments = read_segments(rfm_df)

    assert total == Group("All customers", 4, 61, Decimal("610.59"), 3, 10, Decimal("100.10"))
    assert segments == (
        Group("Champions", 3, 60, Decimal("600.60"), 3, 20, Decimal("200.20")),
        Group("Hibernating", 1, 1, Decimal("9.99"), 200, 1, Decimal("9.99")),
    )
    assert read_cells(rfm_df) == {(5, 5): 2, (5, 4): 1, (1, 1): 1}


def test_members_and_sample_of_the_clusters(spark: SparkSession) -> None:
    assigned = [
        {"customer_id": number, "cluster_id": number % 2, "cluster_name": "AB"[number % 2], "confidence": number / 10}
        for number in (1, 2, 3)
    ]
    rfm_df, segments_df = frame(spark, RFM, RFM_ROWS), frame(spark, CUSTOMER_SEGMENTS, assigned)

    assert read_members(rfm_df, segments_df) == {
        0: (Group("A", 1, 20, Decimal("200.20"), 3, 20, Decimal("200.20")), 0.2),
        1: (Group("B", 2, 40, Decimal("400.40"), 1, 10, Decimal("100.10")), 0.2),
    }
    sample = read_sample(rfm_df, segments_df)
    assert sorted((p.cluster_id, p.recency_days, p.monetary) for p in sample) == [
        (0, 3, 200.2),
        (1, 1, 100.1),
        (1, 5, 300.3),
    ]
    assert sample == read_sample(rfm_df.repartition(3), segments_df)


def test_the_pipeline_counts_offsets_rows_and_commits(spark: SparkSession, lake: Lake) -> None:
    batches = [
        {"batch_id": "0", "topic": "orders", "partition": 0, "first_offset": 0, "last_offset": 2, "missing_offsets": 0},
        {"batch_id": "0", "topic": "orders", "partition": 1, "first_offset": 5, "last_offset": 5, "missing_offsets": 1},
    ]
    store(lake, INGEST_AUDIT, frame(spark, INGEST_AUDIT, batches))
    arrivals = [{"topic": "orders", "partition": 0, "offset": offset, "ingested_at": AT} for offset in (0, 1)]
    store(lake, ORDER_EVENTS, frame(spark, ORDER_EVENTS, arrivals))
    broken = {"topic": "orders", "partition": 0, "offset": 2, "reason_code": "unknown_status", "ingested_at": AT}
    store(lake, QUARANTINE, frame(spark, QUARANTINE, [broken]))
    tier = {"topic": "customers", "field": "tier", "change": "added", "type": "STRING", "partition": 1, "offset": 7}
    store(lake, SCHEMA_CHANGES, frame(spark, SCHEMA_CHANGES, [{**tier, "seen_at": AT}]))
    store(lake, ORDERS, orders(spark, [order("O-1", 1, "2026-01-01T00:00:00", "5.00")]))
    spark.sql(
        f"""MERGE INTO delta.`{lake.path(ORDERS)}` t USING (SELECT 'O-1' order_id) s ON t.order_id = s.order_id
            WHEN MATCHED THEN UPDATE SET status = 'returned'"""
    )

    pipeline = read_pipeline(spark, lake)

    assert pipeline.funnel == (TopicFunnel("orders", produced=4, bronze=2, quarantine=1, not_events=1),)
    assert pipeline.funnel[0].unexplained == 0
    assert pipeline.quarantine == (("orders", "unknown_status", 1),)
    assert pipeline.changes == (FieldChange("customers", "tier", "added", "STRING", "1 / 7", "2026-01-31 22:15"),)
    assert pipeline.states == (
        TableState("bronze.order_events", 2, "2026-01-31 22:15"),
        TableState("bronze.quarantine", 1, "2026-01-31 22:15"),
        TableState("silver.orders", 1, ""),
    )
    commits = {Commit("", commit.table, commit.operation, commit.rows) for commit in pipeline.commits}
    assert commits == {
        Commit("", "bronze.order_events", "WRITE", 2),
        Commit("", "bronze.quarantine", "WRITE", 1),
        Commit("", "silver.orders", "WRITE", 1),
        Commit("", "silver.orders", "MERGE", 1),
    }
    assert [commit.at for commit in pipeline.commits] == sorted((c.at for c in pipeline.commits), reverse=True)


def test_changes_are_read_for_the_date_alone(spark: SparkSession, lake: Lake) -> None:
    assert (read_drift(spark, lake, D), read_migrations(spark, lake, D)) == (None, None)
    earlier = D - dt.timedelta(days=1)
    compared = {"snapshot_date": D, "earlier_date": earlier, "customers": 4, "earlier_customers": 3}
    features = [
        {**compared, "feature": "monetary", "psi": 0.5, "threshold": 0.1, "is_alarm": True},
        {**compared, "feature": "cluster_id", "psi": 0.0, "threshold": 0.2, "is_alarm": False, "customers": 2},
        {**compared, "feature": "rfm_segment", "psi": 0.0, "threshold": 0.2, "is_alarm": False},
    ]
    store(lake, DRIFT, frame(spark, DRIFT, features))
    moves = [
        {"from_date": earlier, "to_date": day, "from_cluster": start, "to_cluster": 1, "customers": 2 + start,
         "from_cluster_name": "AB"[start], "to_cluster_name": "B"}
        for day in (D, D + dt.timedelta(days=1))
        for start in (1, 0)
    ]  # fmt: skip
    store(lake, SEGMENT_MIGRATIONS, frame(spark, SEGMENT_MIGRATIONS, moves))

    assert read_drift(spark, lake, D) == Drift(
        earlier,
        customers=4,
        earlier_customers=3,
        features=(
            FeatureDrift("cluster_id", 0.0, 0.2, False),
            FeatureDrift("monetary", 0.5, 0.1, True),
            FeatureDrift("rfm_segment", 0.0, 0.2, False),
        ),
    )
    migrations = read_migrations(spark, lake, D)
    assert migrations == Migrations(earlier, (Move((0, "A"), (1, "B"), 2), Move((1, "B"), (1, "B"), 3)))
    assert read_drift(spark, lake, earlier) is None
    assert read_migrations(spark, lake, earlier) is None


def test_value_is_summed_by_segment_and_the_books_that_most_are_offered_come_first(
    spark: SparkSession, lake: Lake
) -> None:
    rfm_df = frame(spark, RFM, RFM_ROWS)
    assert (read_value(spark, lake, rfm_df, D), read_offers(spark, lake, D)) == (None, ())
    estimates = [
        {"snapshot_date": D, "customer_id": number, "p_alive": alive, "expected_purchases": 0.5,
         "expected_value": Decimal(value)}
        for number, alive, value in ((1, 1.0, "10.10"), (2, 0.5, "20.20"), (4, 0.1, "1.00"), (9, 0.0, "0.50"))
    ]  # fmt: skip
    store(lake, CUSTOMER_VALUE, frame(spark, CUSTOMER_VALUE, estimates))
    model = {"snapshot_date": D, "horizon_days": 90, "is_better": True, "verdict": "better"}
    store(lake, VALUE_MODELS, frame(spark, VALUE_MODELS, [model]))
    offered = [(1, 10), (1, 11), (1, 12), (2, 13), (2, 12), (2, 11), (3, 12), (9, 14)]
    rows = [
        {"snapshot_date": D, "customer_id": who, "book_id": book, "rfm_segment": None if who == 9 else "Champions"}
        for who, book in offered
    ]
    store(lake, RECOMMENDATIONS, frame(spark, RECOMMENDATIONS, rows))
    books = [
        {"book_id": book, "title": f"{when} {book}", "author": "A", "__START_AT": {"ts_ms": when, "lsn": 0}}
        for book in (10, 11, 12, 13)
        for when in (2, 1)
    ]
    untitled = {"book_id": 14, "__START_AT": {"ts_ms": 0, "lsn": 0}}
    store(lake, BOOKS_HISTORY, frame(spark, BOOKS_HISTORY, [*books, untitled]))

    assert read_value(spark, lake, rfm_df, D) == Value(
        90,
        True,
        "better",
        (
            SegmentValue("Champions", 2, 0.75, 1.0, Decimal("30.30")),
            SegmentValue("Hibernating", 1, 0.1, 0.5, Decimal("1.00")),
            SegmentValue(EARLIER_CUSTOMERS, 1, 0.0, 0.5, Decimal("0.50")),
        ),
    )
    assert read_offers(spark, lake, D) == (
        Offer("Champions", "2 12", "A", 3),
        Offer("Champions", "2 11", "A", 2),
        Offer("Champions", "2 10", "A", 1),
        Offer(EARLIER_CUSTOMERS, "Book 14", "", 1),
    )


def test_one_page_per_date_first_without_and_then_with_clusters(spark: SparkSession, lake: Lake) -> None:
    values, _ = planted(*GROUPS, each=20)
    rows = [
        rfm_row(D, number, int(days), int(orders), f"{money:.2f}")
        for number, (days, orders, money) in enumerate(values.tolist())
    ]
    store(lake, RFM, frame(spark, RFM, rows))
    with pytest.raises(MissingPartitionError, match=r"partition 2026-02-01 of gold\.rfm is required and has no rows"):
        write_report.run(spark, write_report.Config(lake.root, D + dt.timedelta(days=1)))

    first = write_report.run(spark, write_report.Config(lake.root, D))
    assert (first["customers"], first["clusters"]) == (80, 0)
    assert "No clusters for this day yet." in text_of(page(spark, lake))

    version = train_kmeans.run(spark, train_kmeans.Config(lake.root))["model_version"]
    assign_segments.run(spark, assign_segments.Config(lake.root, D))
    second = write_report.run(spark, write_report.Config(lake.root, D))

    html = page(spark, lake)
    assert (second["clusters"], second["bytes"]) == (4, len(html.encode()))
    assert f"Version {version} , the champion" in text_of(html)
    assert "0 Active top-spending regulars 20 customers (25.0%)" in text_of(html)


def test_campaigns_and_scores_that_nobody_has_are_read_from_their_tables(spark: SparkSession, lake: Lake) -> None:
    assert (read_campaigns(spark, lake), read_gaps(spark, lake, D)) == ((), ())
    earlier = CAMPAIGNS[1]._replace(measured_at=CAMPAIGNS[1].measured_at - dt.timedelta(days=1))
    store(lake, CAMPAIGN_RESULTS, spark.createDataFrame([earlier, CAMPAIGNS[0]], CAMPAIGN_RESULTS.columns))
    known = {"scheme": "quintiles", "snapshot_date": D, "metric": "frequency", "score": 1, "customers": 4}
    empty = {"score": 2, "customers": 0}
    found = [
        known | {"best_value": Decimal(3)},
        known | empty,
        known | empty | {"score": 3, "scheme": "own"},
        known | empty | {"score": 4, "snapshot_date": D + dt.timedelta(days=1)},
    ]
    store(lake, RFM_THRESHOLDS, frame(spark, RFM_THRESHOLDS, found))

    assert read_campaigns(spark, lake) == (CAMPAIGNS[0], earlier)
    assert read_gaps(spark, lake, D) == (Gap("frequency", (2,), Decimal(3)),)


def page(spark: SparkSession, lake: Lake) -> str:
    rows = lake.read(spark, REPORTS).where(f"snapshot_date = DATE'{D}'").collect()
    assert len(rows) == 1
    html: str = rows[0]["html"]
    return html
