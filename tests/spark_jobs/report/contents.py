"""A report's content for tests, small enough to check by hand."""

import datetime as dt
from decimal import Decimal

from spark_jobs.campaigns.results import CampaignResult, Window, result_of
from spark_jobs.campaigns.uplift import Group as CampaignGroup
from spark_jobs.report.content import (
    EARLIER_CUSTOMERS,
    ClusterCard,
    Clusters,
    Commit,
    Drift,
    FeatureDrift,
    FieldChange,
    Group,
    Migrations,
    ModelCard,
    Move,
    Offer,
    Pipeline,
    Point,
    Report,
    SegmentValue,
    TableState,
    TopicFunnel,
    Value,
)
from spark_jobs.report.gaps import Gap
from spark_jobs.segmentation.features import Scaling
from spark_jobs.segmentation.model import Cluster, Model

D = dt.date(2026, 1, 31)
NO_PIPELINE = Pipeline(funnel=(), quarantine=(), changes=(), states=(), commits=())
PIPELINE = Pipeline(
    funnel=(TopicFunnel("bookstore.books", 10, 9, 1, 0), TopicFunnel("bookstore.orders", 1_200, 1_190, 5, 2)),
    quarantine=(("bookstore.orders", "unknown_status", 5), ("bookstore.books", "unsupported_truncate", 1)),
    changes=(
        FieldChange("bookstore.orders", "gift <wrap>", "ignored", "BOOLEAN", "2 / 17", "2026-01-31 09:05"),
        FieldChange("bookstore.books", "price", "changed", "OBJECT<eur: STRING>", "0 / 3", "2026-01-30 08:00"),
    ),
    states=(TableState("silver.orders", 1_100, "2026-01-31 22:00"), TableState("bronze.quarantine", 0, "")),
    commits=(
        Commit("2026-02-01 00:10", "gold.rfm", "WRITE", 1_000),
        Commit("2026-02-01 00:09", "gold.rfm", "CREATE TABLE", None),
        Commit("2026-02-01 00:08", "gold.customer_segments", "SET TBLPROPERTIES", None),
    ),
)


SAMPLE = (Point(0, 2, 500.0), Point(3, 90, 20.0))


def clusters(sample: tuple[Point, ...] = SAMPLE) -> Clusters:
    scaling = Scaling(means=(2.0, 1.0, 4.0), deviations=(1.0, 1.0, 1.0))
    members = (Cluster(0, "Active regulars", (-1.0, 1.0, 2.0)), Cluster(3, "Lapsed <buyers>", (2.0, -1.0, -1.0)))
    model = Model(D, 42, scaling, members, 4)
    card = ModelCard(model, model.version, "2026-01-31 23:00", 990, 0.4567, 123.4, False, "champion: the first model")
    here = Group("Active regulars", 250, 2_000, Decimal("7500.00"), 2, 8, Decimal("30.00"))
    typical = [tuple(centre) for centre in model.typical_customers.tolist()]
    cards = (ClusterCard(members[0], here, 0.75, typical[0]), ClusterCard(members[1], None, 0.0, typical[1]))
    return Clusters(cards, sample, card)


DRIFT = Drift(
    earlier_date=dt.date(2026, 1, 24),
    customers=1_000,
    earlier_customers=990,
    features=(
        FeatureDrift("frequency", 0.0123, 0.1, False),
        FeatureDrift("monetary", 0.4567, 0.1, True),
        FeatureDrift("rfm_segment", 0.0, 0.123, False),
    ),
)
HERE, THERE = (0, "Active regulars"), (3, "Lapsed <buyers>")
MIGRATIONS = Migrations(
    dt.date(2026, 1, 24),
    (Move(HERE, HERE, 240), Move(HERE, THERE, 20), Move(THERE, HERE, 1), Move(THERE, THERE, 739)),
)
VALUE = Value(
    90,
    False,
    "not better in value than the same as in the last period",
    (
        SegmentValue("Champions", 250, 0.95, 500.0, Decimal("7500.00")),
        SegmentValue("Hibernating", 750, 0.2, 75.0, Decimal("750.00")),
        SegmentValue(EARLIER_CUSTOMERS, 50, 0.01, 0.5, Decimal("1.25")),
    ),
)
OFFERS = (
    Offer("Champions", "The <Silent> Harbour", "Ada Keller", 200),
    Offer("Champions", "Dune", "", 150),
    Offer(EARLIER_CUSTOMERS, "The Last Map", "Zoë O'Brien", 40),
)

_END = dt.datetime(2026, 1, 30, 10, tzinfo=dt.UTC)
_WINDOW = Window(30, _END, _END)

GAPS = (
    Gap("frequency", (2, 3), Decimal(1)),
    Gap("monetary", (5,), Decimal("9.99")),
    Gap("recency_days", (1,), Decimal(3)),
)


def campaign(name: str, share: float, written_to: CampaignGroup, held_out: CampaignGroup) -> CampaignResult:
    return result_of(name, _WINDOW, share=share, written_to=written_to, held_out=held_out, measured_at=_END)


CAMPAIGNS = (
    campaign("spring-2026", 0.25, CampaignGroup(300, 60, 600_00, 14_000_000), CampaignGroup(100, 8, 80_00, 1_600_000)),
    campaign("to-everybody", 0.0, CampaignGroup(5, 1, 10_00, 1_000_000), CampaignGroup()),
    campaign("odd", 0.25, CampaignGroup(300, 60), CampaignGroup(40, 2)),
)


def report(
    *,
    found: Clusters | None,
    pipeline: Pipeline = NO_PIPELINE,
    lookback_days: int = 365,
    drift: Drift | None = None,
    migrations: Migrations | None = None,
    value: Value | None = None,
    offers: tuple[Offer, ...] = (),
    gaps: tuple[Gap, ...] = (),
    campaigns: tuple[CampaignResult, ...] = (),
) -> Report:
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
        gaps=gaps,
        clusters=found,
        drift=drift,
        migrations=migrations,
        value=value,
        offers=offers,
        campaigns=campaigns,
        pipeline=pipeline,
    )


def everything(sample: tuple[Point, ...] = SAMPLE) -> Report:
    """A page on which no part is missing."""
    found = clusters(sample)
    return report(
        found=found,
        gaps=GAPS,
        pipeline=PIPELINE,
        drift=DRIFT,
        migrations=MIGRATIONS,
        value=VALUE,
        offers=OFFERS,
        campaigns=CAMPAIGNS,
    )
