"""A report's content for tests, small enough to check by hand."""

import datetime as dt
from decimal import Decimal

from spark_jobs.report.content import (
    ClusterCard,
    Clusters,
    Commit,
    Group,
    ModelCard,
    Pipeline,
    Point,
    Report,
    TableState,
    TopicFunnel,
)
from spark_jobs.segmentation.features import Scaling
from spark_jobs.segmentation.model import Cluster, Model

D = dt.date(2026, 1, 31)
NO_PIPELINE = Pipeline(funnel=(), quarantine=(), states=(), commits=())
PIPELINE = Pipeline(
    funnel=(TopicFunnel("bookstore.books", 10, 9, 1, 0), TopicFunnel("bookstore.orders", 1_200, 1_190, 5, 2)),
    quarantine=(("bookstore.orders", "unknown_status", 5), ("bookstore.books", "unsupported_truncate", 1)),
    states=(TableState("silver.orders", 1_100, "2026-01-31 22:00"), TableState("bronze.quarantine", 0, "")),
    commits=(
        Commit("2026-02-01 00:10", "gold.rfm", "WRITE", 1_000),
        Commit("2026-02-01 00:09", "gold.rfm", "CREATE TABLE", None),
    ),
)


def clusters(sample: tuple[Point, ...] = (Point(0, 2, 500.0), Point(3, 90, 20.0))) -> Clusters:
    scaling = Scaling(means=(2.0, 1.0, 4.0), deviations=(1.0, 1.0, 1.0))
    members = (Cluster(0, "Active regulars", (-1.0, 1.0, 2.0)), Cluster(3, "Lapsed <buyers>", (2.0, -1.0, -1.0)))
    model = Model(D, 42, scaling, members, 4)
    card = ModelCard(model, model.version, "2026-01-31 23:00", 990, 0.4567, 123.4, False, "champion: the first model")
    here = Group("Active regulars", 250, 2_000, Decimal("7500.00"), 2, 8, Decimal("30.00"))
    typical = [tuple(centre) for centre in model.typical_customers.tolist()]
    cards = (ClusterCard(members[0], here, 0.75, typical[0]), ClusterCard(members[1], None, 0.0, typical[1]))
    return Clusters(cards, sample, card)


def report(*, found: Clusters | None, pipeline: Pipeline = NO_PIPELINE, lookback_days: int = 365) -> Report:
    return Report(
        snapshot_date=D,
        lookback_days=lookback_days,
        written_at=dt.datetime(2026, 2, 1, 0, 30, tzinfo=dt.UTC),
        total=Group("All customers", 1_000, 3_000, Decimal("10000.00"), 20, 2, Decimal("99.50")),
        segments=(
            Group("Champions", 250, 2_000, Decimal("7500.00"), 2, 8, Decimal("300.00")),
            Group("Hibernating", 750, 1_000, Decimal("2500.00"), 200, 1, Decimal("10.25")),
        ),
        cells={(5, 5): 250, (1, 1): 750},
        clusters=found,
        pipeline=pipeline,
    )
