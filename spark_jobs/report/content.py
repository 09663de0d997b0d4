"""What the page says, before it is a page."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from spark_jobs.campaigns.results import CampaignResult
from spark_jobs.report.gaps import Gap
from spark_jobs.segmentation.model import Cluster, Model

EARLIER_CUSTOMERS = "Without orders in these days"
"""Customers who are in no segment."""


@dataclass(frozen=True)
class Group:
    """Customers who share a segment or a cluster, and what they did in the days that count.

    Attributes:
        name: Of the segment or the cluster.
        monetary: The median, like `recency_days` and `frequency`.
    """

    name: str
    customers: int
    orders: int
    revenue: Decimal
    recency_days: int
    frequency: int
    monetary: Decimal


@dataclass(frozen=True)
class ClusterCard:
    """A cluster of the model and who of the partition is in it.

    Attributes:
        members: Those customers; None where the cluster has none.
        confidence: Their mean.
        typical: The centre in days, orders and money.
    """

    cluster: Cluster
    members: Group | None
    confidence: float
    typical: tuple[float, float, float]


@dataclass(frozen=True)
class Point:
    """One customer of the sample that the picture shows."""

    cluster_id: int
    recency_days: int
    monetary: float


@dataclass(frozen=True)
class ModelCard:
    """The model that labelled the partition, and how it came to be."""

    model: Model
    version: str
    trained_at: str
    customers: int
    silhouette: float
    inertia: float
    is_champion: bool
    verdict: str


@dataclass(frozen=True)
class Clusters:
    cards: tuple[ClusterCard, ...]
    sample: tuple[Point, ...]
    model: ModelCard


@dataclass(frozen=True)
class FeatureDrift:
    """How far one feature, or the shares of the segments, moved: see `segmentation.drift`."""

    feature: str
    psi: float
    threshold: float
    is_alarm: bool


@dataclass(frozen=True)
class Drift:
    """The partition's customers beside those of an earlier one."""

    earlier_date: dt.date
    customers: int
    earlier_customers: int
    features: tuple[FeatureDrift, ...]


@dataclass(frozen=True)
class Move:
    """Customers who went from one cluster to another, or stayed in it; clusters by id and name."""

    origin: tuple[int, str]
    target: tuple[int, str]
    customers: int


@dataclass(frozen=True)
class Migrations:
    """Where the customers of two dates were, and are; those of one of the dates alone are in no move."""

    from_date: dt.date
    moves: tuple[Move, ...]

    @property
    def customers(self) -> int:
        return sum(move.customers for move in self.moves)

    @property
    def changes(self) -> tuple[Move, ...]:
        """Without those who stayed; the largest first."""
        changes = [move for move in self.moves if move.origin[0] != move.target[0]]
        return tuple(sorted(changes, key=lambda move: (-move.customers, move.origin, move.target)))


@dataclass(frozen=True)
class SegmentValue:
    """What an RFM segment's customers can be expected to buy.

    Attributes:
        segment: `EARLIER_CUSTOMERS` are those whose last order is before the days that count.
        p_alive: Mean probability of ever buying again.
        purchases: Of all its customers together.
        value: Of these purchases.
    """

    segment: str
    customers: int
    p_alive: float
    purchases: float
    value: Decimal


@dataclass(frozen=True)
class Value:
    """Estimates for the days after the partition's, and how they did when tested.

    Attributes:
        is_better: Than "the same as in the last period"; None where that wasn't tested.
    """

    horizon_days: int
    is_better: bool | None
    verdict: str
    segments: tuple[SegmentValue, ...]

    @property
    def total(self) -> Decimal:
        return sum((one.value for one in self.segments), Decimal(0))


@dataclass(frozen=True)
class Offer:
    """A book, and to how many customers of a segment it is to be offered."""

    segment: str
    title: str
    author: str
    customers: int


@dataclass(frozen=True)
class TopicFunnel:
    """Where a topic's events went; `produced` counts offsets, `not_events` those that hold no event."""

    topic: str
    produced: int
    bronze: int
    quarantine: int
    not_events: int

    @property
    def unexplained(self) -> int:
        return self.produced - self.bronze - self.quarantine - self.not_events


@dataclass(frozen=True)
class FieldChange:
    """What is new in a topic's messages, and the type and the place of the first; `change` as in `schema_changes`."""

    topic: str
    field: str
    change: str
    kind: str
    place: str
    seen_at: str


@dataclass(frozen=True)
class TableState:
    """How many rows a table has, and how new its newest is."""

    name: str
    rows: int
    newest: str


@dataclass(frozen=True)
class Commit:
    """One change of one table; `rows` is None where Delta doesn't say."""

    at: str
    table: str
    operation: str
    rows: int | None


@dataclass(frozen=True)
class Pipeline:
    funnel: tuple[TopicFunnel, ...]
    quarantine: tuple[tuple[str, str, int], ...]
    changes: tuple[FieldChange, ...]
    states: tuple[TableState, ...]
    commits: tuple[Commit, ...]


@dataclass(frozen=True)
class Report:
    """Everything on the page.

    Attributes:
        total: All customers of the partition.
        segments: By revenue, the largest first.
        cells: Customers by R and F score.
        gaps: Scores that nobody has; may be empty.
        clusters: None until a champion has labelled the partition.
        drift: None without an earlier partition to compare with.
        migrations: None without an earlier partition labelled by the same model.
        value: None where there was too little data.
        offers: For each segment the books that most of its customers are to be offered; may be empty.
        campaigns: Those measured last, the newest first; may be empty.
    """

    snapshot_date: dt.date
    lookback_days: int
    written_at: dt.datetime
    total: Group
    segments: tuple[Group, ...]
    cells: Mapping[tuple[int, int], int]
    gaps: tuple[Gap, ...]
    clusters: Clusters | None
    drift: Drift | None
    migrations: Migrations | None
    value: Value | None
    offers: tuple[Offer, ...]
    campaigns: tuple[CampaignResult, ...]
    pipeline: Pipeline
