"""What the page says, before it is a page."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from spark_jobs.segmentation.model import Cluster, Model


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
    states: tuple[TableState, ...]
    commits: tuple[Commit, ...]


@dataclass(frozen=True)
class Report:
    """Everything on the page.

    Attributes:
        total: All customers of the partition.
        segments: By revenue, the largest first.
        cells: Customers by R and F score.
        clusters: None until a champion has labelled the partition.
    """

    snapshot_date: dt.date
    lookback_days: int
    written_at: dt.datetime
    total: Group
    segments: tuple[Group, ...]
    cells: Mapping[tuple[int, int], int]
    clusters: Clusters | None
    pipeline: Pipeline
