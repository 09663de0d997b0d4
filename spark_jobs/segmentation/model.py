"""A fitted model: scale and clusters, as JSON that any program can read."""

import dataclasses
import datetime as dt
import hashlib
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from spark_jobs.segmentation.features import FEATURES, Scaling, Values


@dataclass(frozen=True)
class Cluster:
    """A group of customers.

    Attributes:
        cluster_id: Lasts through retraining for as long as the cluster does; never means another cluster.
        name: What people call it; unique within a model.
        centre: Its middle on the model's scale, one number per feature.
    """

    cluster_id: int
    name: str
    centre: tuple[float, ...]


@dataclass(frozen=True)
class Model:
    """What gives a customer a cluster: the one whose centre is nearest on the model's scale.

    Attributes:
        snapshot_date: The RFM partition that it was trained on.
        seed: Of the training.
        scaling: The scale.
        clusters: In order of their ids.
        next_cluster_id: The first id that no cluster of this model or of an earlier champion has had.
    """

    snapshot_date: dt.date
    seed: int
    scaling: Scaling
    clusters: tuple[Cluster, ...]
    next_cluster_id: int

    @property
    def version(self) -> str:
        """E.g. `2026-01-31-9f3c21ab`: the partition, and a digest of the whole model. The same model has the same."""
        return f"{self.snapshot_date}-{hashlib.sha256(self.to_json().encode()).hexdigest()[:8]}"

    @property
    def centres(self) -> Values:
        return np.array([cluster.centre for cluster in self.clusters])

    @property
    def typical_customers(self) -> Values:
        """The centres in days, orders and money."""
        return self.scaling.undo(self.centres)

    def nearest(self, values: Values) -> NDArray[np.intp]:
        """The position in `clusters` of each customer's cluster."""
        positions: NDArray[np.intp] = cdist(self.scaling.apply(values), self.centres).argmin(axis=1)
        return positions

    def to_json(self) -> str:
        fields = dataclasses.asdict(self) | {"snapshot_date": self.snapshot_date.isoformat(), "features": FEATURES}
        return json.dumps(fields, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Model":
        fields = json.loads(text)
        return cls(
            snapshot_date=dt.date.fromisoformat(fields["snapshot_date"]),
            seed=fields["seed"],
            scaling=Scaling(tuple(fields["scaling"]["means"]), tuple(fields["scaling"]["deviations"])),
            clusters=tuple(Cluster(c["cluster_id"], c["name"], tuple(c["centre"])) for c in fields["clusters"]),
            next_cluster_id=fields["next_cluster_id"],
        )
